import { billOf, lineOf, type Bill, type Line, type Scenario } from "./bill.ts";
import { mean, type Figures, type LambdaFigures } from "./figures.ts";
import { coldStarts, HOURS, lookAgain, type Served } from "./patterns.ts";

/** What `serverless.yml` gives the function: the size that comes with one whole vCPU. */
export const LAMBDA_MB = 1769;

/** GB as AWS counts it. */
export const AWS_GB = 2 ** 30;

/** `RELEASE_TTL_SECONDS`: after it, a request first asks the store which version answers. */
export const RELEASE_SECONDS = 10;

/** What S3 takes to answer a function in its region. Not measured here: the bench's store answers after as long. */
export const STORE_MS = 20;

/** The function that looks at versions on trial, each minute. How long it takes was not measured. */
const WATCH_RUNS = HOURS * 60;
const WATCH_MS = 100;

/** Bytes of the lines that Lambda writes for each invocation (START, END, REPORT), and API Gateway for each request. */
const LAMBDA_LINES = 330;
const API_LINE = 350;

/** An HTTP API counts started 512 KB of a request as one. Answers of up to 4.5 MB count too. */
const API_UNIT = 512 * 1024;

/** Lambda bills each invocation by itself, in started milliseconds. The init phase counts since August 2025. */
export function billedMs({ durationsMs, initMs, firstMs }: LambdaFigures) {
  return { warm: mean(durationsMs.map(Math.ceil)), cold: Math.ceil(initMs + firstMs) };
}

/** The month on AWS as `serverless.yml` deploys it. */
export function lambdaBill(
  figures: Figures,
  scenario: Scenario,
  architecture: "x86" | "arm",
): Bill {
  const { lambda } = figures;
  const platform = `AWS Lambda, ${architecture}`;
  const { cold, looks } = lambdaUse(figures, scenario);
  const facts = [
    `${percent(cold / scenario.requests)} of the requests start an environment, and ${percent(looks / scenario.requests)} ask the store for the release first`,
    `billed: ${billedMs(lambda).warm.toFixed(2)} ms warm, ${billedMs(lambda).cold} ms cold, at ${LAMBDA_MB} MB`,
  ];
  const problem =
    lambda.peakMb > LAMBDA_MB
      ? `it takes ${Math.ceil(lambda.peakMb)} MB, and the function has ${LAMBDA_MB}`
      : undefined;
  return billOf(platform, scenario, {
    lines: lambdaLines(figures, scenario, architecture),
    facts,
    ...(problem !== undefined && { problem }),
  });
}

/** How often a month an environment starts, and the store is asked for the release. */
function lambdaUse({ lambda }: Figures, { pattern, requests }: Scenario) {
  const served: Served = {
    busySeconds: mean(lambda.durationsMs) / 1000,
    coldSeconds: (lambda.initMs + lambda.firstMs) / 1000,
  };
  return {
    cold: coldStarts(pattern, requests, served),
    looks: lookAgain(pattern, requests, { seconds: RELEASE_SECONDS, served }),
  };
}

export function lambdaLines(
  figures: Figures,
  scenario: Scenario,
  architecture: "x86" | "arm",
): Line[] {
  const { requests, logs, address } = scenario;
  const { files, answerBytes, logBytes, metrics } = figures;
  const line = lineOf(scenario);
  const { cold, looks } = lambdaUse(figures, scenario);
  const billed = billedMs(figures.lambda);
  const milliseconds =
    (requests - cold) * billed.warm + cold * billed.cold + looks * STORE_MS + WATCH_RUNS * WATCH_MS;
  const isApi = address === "http-api";
  const loggedBytes = logBytes.access + logBytes.metrics + LAMBDA_LINES + (isApi ? API_LINE : 0);
  return [
    line("lambda-requests", "invocations, the watch of rollouts included", requests + WATCH_RUNS),
    line(`lambda-${architecture}`, "duration", ((milliseconds / 1000) * LAMBDA_MB) / 1024),
    ...(isApi
      ? [line("http-api", "API Gateway", requests * Math.ceil(answerBytes / API_UNIT))]
      : []),
    line("aws-egress", "answers to the internet", (requests * answerBytes) / AWS_GB),
    // Release, manifest and files of a cold start. The rest are looks at the release.
    line("s3-reads", "reads of the bucket", looks + cold * (files.count + 2)),
    ...bucketLines(figures, scenario),
    ...(logs
      ? [
          line("cloudwatch-logs", "logs", (requests * loggedBytes) / AWS_GB),
          line("cloudwatch-metrics", "metrics of the model", metrics),
        ]
      : []),
  ];
}

/** One version that lies in S3, pushed in the same month. */
export function bucketLines({ files }: Figures, scenario: Scenario): Line[] {
  const line = lineOf(scenario);
  return [
    line("s3-writes", "a push of a version", files.count + 2),
    line("s3-storage", "the version's files", files.bytes / AWS_GB),
  ];
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value < 0.01 && value > 0 ? "<0.01" : value.toFixed(2)} %`;
}
