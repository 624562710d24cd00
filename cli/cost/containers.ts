import { billOf, lineOf, type Bill, type Scenario } from "./bill.ts";
import type { Figures } from "./figures.ts";
import { AWS_GB, bucketLines, RELEASE_SECONDS } from "./lambda.ts";
import { HOURS, rateOf } from "./patterns.ts";

/** Of a vCPU's time, as much is planned for: above it requests begin to wait. */
export const UTILISATION = 0.6;

/** Memory is planned so much larger than what was measured. */
const MEMORY_ROOM = 1.5;

/** Addresses of a load balancer, one in each of two zones. */
const BALANCER_ADDRESSES = 2;
/** What an LCU takes: new connections a second, and bytes an hour. */
const LCU_CONNECTIONS = 25;
const LCU_BYTES = AWS_GB;

/** How many containers of one vCPU the highest rate needs. They run all month: nothing scales. */
export function instancesFor({ server }: Figures, { requests, pattern, instances }: Scenario) {
  const peak = Math.max(...pattern.phases.map((phase) => rateOf(phase, requests)));
  return Math.max(instances, Math.ceil((peak * server.cpuMs) / 1000 / UTILISATION));
}

/** Containers on Fargate behind an Application Load Balancer, models in S3. */
export function fargateBill(figures: Figures, scenario: Scenario): Bill {
  const { requests, pattern, logs } = scenario;
  const { answerBytes, logBytes, server, files } = figures;
  const line = lineOf(scenario);
  const instances = instancesFor(figures, scenario);
  const gigabytes = Math.max(2, Math.ceil((server.residentMb * MEMORY_ROOM) / 1024));
  let capacity = 0;
  let looks = 0;
  for (const phase of pattern.phases) {
    const rate = rateOf(phase, requests);
    const bytesAnHour = rate * 3600 * answerBytes;
    capacity += phase.hours * Math.max(rate / LCU_CONNECTIONS, bytesAnHour / LCU_BYTES);
    looks += (instances * phase.hours * 3600) / (RELEASE_SECONDS + instances / rate);
  }
  return billOf("Fargate, always on", scenario, {
    lines: [
      line("fargate-cpu", "vCPU", instances * HOURS),
      line("fargate-memory", "memory", instances * gigabytes * HOURS),
      line("balancer-hours", "load balancer", HOURS),
      line("balancer-capacity", "its capacity", capacity),
      line("ipv4-hours", "public addresses", (instances + BALANCER_ADDRESSES) * HOURS),
      line("aws-egress", "answers to the internet", (requests * answerBytes) / AWS_GB),
      line("s3-reads", "reads of the bucket", looks + instances * (files.count + 2)),
      ...bucketLines(figures, scenario),
      ...(logs ? [line("cloudwatch-logs", "logs", (requests * logBytes.access) / AWS_GB)] : []),
    ],
    facts: [sizeText(instances, `${gigabytes} GB`, figures)],
    ...(gigabytes > 8 && {
      problem: `it takes ${gigabytes} GB, and one vCPU comes with at most 8`,
    }),
  });
}

/** Containers on Cloud Run with processors that are always allocated, and the models in their image. */
export function cloudRunBill(figures: Figures, scenario: Scenario): Bill {
  const { requests, logs } = scenario;
  const { answerBytes, logBytes, server } = figures;
  const line = lineOf(scenario);
  const instances = instancesFor(figures, scenario);
  const seconds = instances * HOURS * 3600;
  const gibibytes = Math.max(0.5, Math.ceil((server.residentMb * MEMORY_ROOM) / 512) / 2);
  return billOf("Cloud Run, always on", scenario, {
    lines: [
      line("cloud-run-cpu", "vCPU", seconds),
      line("cloud-run-memory", "memory", seconds * gibibytes),
      line("google-egress", "answers to the internet", (requests * answerBytes) / AWS_GB),
      ...(logs ? [line("google-logs", "logs", (requests * logBytes.access) / AWS_GB)] : []),
    ],
    facts: [sizeText(instances, `${gibibytes} GiB`, figures)],
    ...(gibibytes > 4 && {
      problem: `it takes ${gibibytes} GiB, and one vCPU comes with at most 4`,
    }),
  });
}

function sizeText(instances: number, memory: string, { server }: Figures): string {
  const each = Math.floor((UTILISATION * 1000) / server.cpuMs);
  return `${instances} × 1 vCPU and ${memory}: each takes ${each} requests/s at ${UTILISATION * 100} % of its processor, ${server.cpuMs.toFixed(3)} ms a request`;
}
