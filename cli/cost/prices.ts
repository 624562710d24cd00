// The published prices that `nearcast cost` counts with. docs/cost.md says how they were looked up. `--prices` replaces
// single ones.
import type { Price } from "./price.ts";

const MILLION = 1e6;
const AWS = "us-east-1";
const GLOBAL = "global";
const GOOGLE = "us-central1";
const CLOUDFLARE_DOCS = "its own documentation's source of October 2026";

const aws = { region: AWS };
const cloudflare = { region: GLOBAL, seen: CLOUDFLARE_DOCS };
const google = { region: GOOGLE };

const workers = {
  ...cloudflare,
  source: "https://developers.cloudflare.com/workers/platform/pricing/",
};
const r2 = { ...cloudflare, source: "https://developers.cloudflare.com/r2/pricing/" };
const objects = {
  ...cloudflare,
  source: "https://developers.cloudflare.com/durable-objects/platform/pricing/",
};
const logs = {
  ...cloudflare,
  source: "https://developers.cloudflare.com/observability/pricing/",
  seen: `${CLOUDFLARE_DOCS}; it holds from 1 December 2026`,
};
const lambda = { ...aws, source: "https://aws.amazon.com/lambda/pricing/" };
const s3 = { ...aws, source: "https://aws.amazon.com/s3/pricing/" };
const cloudWatch = { ...aws, source: "https://aws.amazon.com/cloudwatch/pricing/" };
const fargate = {
  ...aws,
  source: "https://aws.amazon.com/fargate/pricing/",
  seen: "cloudburn.io/blog/aws-fargate-pricing, April 2026, and wring.co, March 2026",
};
const balancer = {
  ...aws,
  source: "https://aws.amazon.com/elasticloadbalancing/pricing/",
  seen: "cloud-horizons.com/blog/alb-the-line-item-nobody-watches, May 2026",
};
const cloudRun = { ...google, source: "https://cloud.google.com/run/pricing" };

export const PRICES = {
  "workers-plan": { ...workers, dollars: 5, per: 1, unit: "month" },
  "workers-requests": {
    ...workers,
    dollars: 0.3,
    per: MILLION,
    unit: "requests",
    included: 10 * MILLION,
  },
  "workers-cpu": {
    ...workers,
    dollars: 0.02,
    per: MILLION,
    unit: "CPU ms",
    included: 30 * MILLION,
  },
  "workers-logs": { ...logs, dollars: 0.25, per: 1, unit: "GB", included: 50 },
  "workers-log-storage": { ...logs, dollars: 0.1, per: 1, unit: "GB-months", included: 12 },
  "r2-class-b": {
    ...r2,
    dollars: 0.36,
    per: MILLION,
    unit: "reads",
    included: 10 * MILLION,
    started: true,
  },
  "r2-class-a": {
    ...r2,
    dollars: 4.5,
    per: MILLION,
    unit: "writes",
    included: MILLION,
    started: true,
  },
  "r2-storage": { ...r2, dollars: 0.015, per: 1, unit: "GB-months", included: 10, started: true },
  "objects-requests": {
    ...objects,
    dollars: 0.15,
    per: MILLION,
    unit: "messages",
    included: MILLION,
  },
  "objects-duration": {
    ...objects,
    dollars: 12.5,
    per: MILLION,
    unit: "GB-s",
    included: 400_000,
  },
  "objects-rows": { ...objects, dollars: 1, per: MILLION, unit: "rows", included: 50 * MILLION },
  "lambda-requests": {
    ...lambda,
    dollars: 0.2,
    per: MILLION,
    unit: "requests",
    free: MILLION,
    seen: "worked examples of the page, September 2026",
  },
  "lambda-x86": {
    ...lambda,
    dollars: 0.0000166667,
    per: 1,
    unit: "GB-s",
    free: 400_000,
    tiers: [
      { from: 6e9, dollars: 0.000015 },
      { from: 15e9, dollars: 0.0000133334 },
    ],
    seen: "artillery 2.0.28's table; cloudchipr.com/blog/aws-lambda-pricing, 2024, for the tiers",
  },
  "lambda-arm": {
    ...lambda,
    dollars: 0.0000133334,
    per: 1,
    unit: "GB-s",
    free: 400_000,
    tiers: [{ from: 7.5e9, dollars: 0.0000120001 }],
    seen: "artillery 2.0.28's table; cloudchipr.com/blog/aws-lambda-pricing, 2024, for the tier",
  },
  "http-api": {
    ...aws,
    dollars: 1,
    per: MILLION,
    unit: "requests of 512 KB",
    tiers: [{ from: 300 * MILLION, dollars: 0.9 }],
    source: "https://aws.amazon.com/api-gateway/pricing/",
    seen: "AWS's whitepaper Best Practices for Designing Amazon API Gateway Private APIs, its table 4",
  },
  "s3-reads": {
    ...s3,
    dollars: 0.0004,
    per: 1000,
    unit: "reads",
    seen: "c3x.dev/blog/s3-request-fees-explained and awsi.click, 2026",
  },
  "s3-writes": {
    ...s3,
    dollars: 0.005,
    per: 1000,
    unit: "writes",
    seen: "c3x.dev/blog/s3-request-fees-explained and awsi.click, 2026",
  },
  "s3-storage": {
    ...s3,
    dollars: 0.023,
    per: 1,
    unit: "GB-months",
    seen: "devnotes.tech/understanding-aws-s3-pricing",
  },
  "aws-egress": {
    ...aws,
    dollars: 0.09,
    per: 1,
    unit: "GB",
    free: 100,
    tiers: [
      { from: 10_240, dollars: 0.085 },
      { from: 51_200, dollars: 0.07 },
    ],
    source: "https://aws.amazon.com/ec2/pricing/on-demand/",
    seen: "devnotes.tech/understanding-aws-s3-pricing; the free 100 GB on S3's page, September 2026",
  },
  "cloudwatch-logs": {
    ...cloudWatch,
    dollars: 0.5,
    per: 1,
    unit: "GB",
    free: 5,
    seen: "duckbillgroup.com, May 2025, and hykell.com",
  },
  "cloudwatch-metrics": {
    ...cloudWatch,
    dollars: 0.3,
    per: 1,
    unit: "metrics",
    free: 10,
    tiers: [{ from: 10_000, dollars: 0.1 }],
    seen: "c3x.dev/blog/aws-cloudwatch-metrics-cost; api-evangelist/cloudwatch, May 2026, for the free ten",
  },
  "fargate-cpu": { ...fargate, dollars: 0.04048, per: 1, unit: "vCPU-hours" },
  "fargate-memory": { ...fargate, dollars: 0.004445, per: 1, unit: "GB-hours" },
  "balancer-hours": { ...balancer, dollars: 0.0225, per: 1, unit: "hours" },
  "balancer-capacity": { ...balancer, dollars: 0.008, per: 1, unit: "LCU-hours" },
  "ipv4-hours": {
    ...aws,
    dollars: 0.005,
    per: 1,
    unit: "address-hours",
    source: "https://aws.amazon.com/vpc/pricing/",
    seen: "AWS's blog Identify and optimize public IPv4 address usage on AWS, update of February 2024",
  },
  "cloud-run-cpu": {
    ...cloudRun,
    dollars: 0.000018,
    per: 1,
    unit: "vCPU-s",
    free: 240_000,
    seen: "the page itself, of a date that is not known",
  },
  "cloud-run-memory": {
    ...cloudRun,
    dollars: 0.000002,
    per: 1,
    unit: "GiB-s",
    free: 450_000,
    seen: "",
    known: "2025",
  },
  "google-egress": {
    ...google,
    dollars: 0.12,
    per: 1,
    unit: "GB",
    free: 1,
    source: "https://cloud.google.com/vpc/network-pricing",
    seen: "cloudwebschool.com/tools/cloud-run-cost-calculator",
  },
  "google-logs": {
    ...google,
    dollars: 0.5,
    per: 1,
    unit: "GB",
    free: 50,
    source: "https://cloud.google.com/stackdriver/pricing",
    seen: "",
    known: "2025",
  },
} as const satisfies Record<string, Price>;

export type PriceName = keyof typeof PRICES;
export type Prices = Readonly<Record<PriceName, Price>>;

/** The day on which they were looked up. */
export const PRICES_READ = "2026-11-30";
