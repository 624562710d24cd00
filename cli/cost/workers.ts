import { WORKER_ISOLATE } from "../../functions/platform/session-budgets.ts";
import { billOf, lineOf, type Bill, type Line, type Scenario } from "./bill.ts";
import type { Figures, WorkerFigures } from "./figures.ts";
import { percent, RELEASE_SECONDS } from "./lambda.ts";
import { coldStarts, lookAgain, type Served } from "./patterns.ts";

/** GB as Cloudflare counts it. */
const CLOUDFLARE_GB = 1e9;

/** Places of Cloudflare's network that callers come by. Each has isolates of its own. */
export const LOCATIONS = 10;

/** Each isolate tells two Durable Objects once a second what it counted: the model's, and that of all models. */
const OBJECTS = 2;
const COUNTED_SECONDS = 1;
/** What a message writes: the isolate's last number, and a group of counts. */
const ROWS = 2;
/** How long a message keeps an object of 128 MB busy. Not measured. */
const OBJECT_SECONDS = 0.01;
const OBJECT_GB = 0.128;

/** An invocation is an event of Cloudflare's own beside the access log's. Each has some attributes; not measured. */
const LOG_EVENTS = 2;
const EVENT_BYTES = 1000;
const LOG_DAYS = 7;

/** The month on Cloudflare's paid plan, as `wrangler.toml` deploys it. */
export function workersBill(figures: Figures, scenario: Scenario): Bill {
  const { worker } = figures;
  const platform = "Cloudflare Workers";
  if (!worker || worker.memoryBytes > WORKER_ISOLATE.allBytes) {
    const problem = worker
      ? `it takes ${megabytes(worker.memoryBytes)} MB, and an isolate has ${megabytes(WORKER_ISOLATE.allBytes)}`
      : "it does not run on WASM";
    return billOf(platform, scenario, { lines: [], facts: [], problem });
  }
  const { cold } = workersUse(worker, scenario);
  return billOf(platform, scenario, {
    lines: workersLines(figures, worker, scenario),
    facts: [
      `${percent(cold / scenario.requests)} of the requests are an isolate's first, from ${LOCATIONS} locations`,
      `processor time: ${worker.cpuMs.toFixed(2)} ms warm, ${worker.firstCpuMs.toFixed(0)} ms for an isolate's first`,
    ],
  });
}

/** How often a month an isolate starts, asks the bucket for the release, and tells what it counted. */
function workersUse({ cpuMs }: WorkerFigures, { pattern, requests }: Scenario) {
  // Requests of one isolate wait for its processor and not for each other, so none needs another isolate to start.
  const served: Served = { busySeconds: cpuMs / 1000, coldSeconds: 0 };
  const each = requests / LOCATIONS;
  const inAll = (seconds: number) => LOCATIONS * lookAgain(pattern, each, { seconds, served });
  return {
    cold: LOCATIONS * coldStarts(pattern, each, served),
    looks: inAll(RELEASE_SECONDS),
    messages: OBJECTS * inAll(COUNTED_SECONDS),
  };
}

function workersLines(figures: Figures, worker: WorkerFigures, scenario: Scenario): Line[] {
  const { requests } = scenario;
  const { files } = figures;
  const { cpuMs, firstCpuMs } = worker;
  const { cold, looks, messages } = workersUse(worker, scenario);
  const line = lineOf(scenario);
  return [
    ...requestLines(scenario, (requests - cold) * cpuMs + cold * firstCpuMs),
    line("objects-requests", "messages with counts to Durable Objects", messages),
    line("objects-duration", "their duration", messages * OBJECT_SECONDS * OBJECT_GB),
    line("objects-rows", "rows that they write", messages * ROWS),
    line("r2-class-b", "reads of the bucket", looks + cold * (files.count + 2)),
    line("r2-class-a", "a push of a version", files.count + 2),
    line("r2-storage", "the version's files", files.bytes / CLOUDFLARE_GB),
    ...logLines(figures, scenario),
  ];
}

/** The plan, its requests and their processor time. */
export function requestLines(scenario: Scenario, cpuMs: number): Line[] {
  const line = lineOf(scenario);
  return [
    line("workers-plan", "the paid plan", 1),
    line("workers-requests", "requests", scenario.requests),
    line("workers-cpu", "processor time", cpuMs),
  ];
}

export function logLines({ logBytes }: Figures, scenario: Scenario): Line[] {
  if (!scenario.logs) return [];
  const line = lineOf(scenario);
  const each = logBytes.access + LOG_EVENTS * EVENT_BYTES;
  const gigabytes = (scenario.requests * each) / CLOUDFLARE_GB;
  return [
    line("workers-logs", "logs", gigabytes),
    line("workers-log-storage", `logs, kept for ${LOG_DAYS} days`, (gigabytes * LOG_DAYS) / 30),
  ];
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}
