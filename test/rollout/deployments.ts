import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished, vi } from "vitest";
import { startLambda, type Lambda } from "../../cli/local/lambda.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { KEYS, startDynamoDb } from "../harness/dynamodb.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { startRedis } from "../harness/redis-server.ts";
import { startS3OverR2 } from "../harness/s3-over-r2.ts";
import { startOverS3, targets, type Target } from "../harness/targets.ts";

/** A deployment, and what looks at its versions on trial by itself. */
export interface Deployment {
  target: Target;
  /** Begins to look, about once a second, from now on and until the test ends. */
  watch: () => Promise<unknown>;
  /** Ends what looks, and begins another one. A Node server looks only at models that it has answered for. */
  evict?: () => Promise<void>;
  /** Resolves when it has looked once more, from beginning to end. No other requests may come meanwhile. */
  looked: () => Promise<unknown>;
  /** Lets each write of the release take so long, from everywhere. */
  slowWrites: (milliseconds: number) => void;
  /** The statuses of the command's own writes, or of all writes where they cannot be told apart. */
  writes: () => number;
  /** With what the command finds its store and its counts. */
  command: { flags: string[]; env: Record<string, string> };
}

export type StartDeployment = (models: string) => Promise<Deployment>;

export const RELEASE = /^table\/release\.json$/;
const ENV = { RELEASE_TTL_SECONDS: "0", ACCESS_LOG: "false" };
const OFTEN = { ROLLOUT_WATCH_SECONDS: "1" };
const NEVER = { ROLLOUT_WATCH_SECONDS: "0" };

const readsOf = ({ store }: Target) => store.gets().filter((key) => RELEASE.test(key)).length;
const writesOf = ({ store }: Target) => store.puts().filter((key) => RELEASE.test(key)).length;

/** A Worker, which the alarm of the model's Durable Object looks after. Its bucket is R2 of workerd. */
export async function startWorkers(models: string): Promise<Deployment> {
  const target = await targets.worker({ models, env: { ...ENV, ...NEVER } });
  onTestFinished(target.stop);
  const { bucket, url = "" } = target;
  if (!bucket) throw new Error("a Worker has a bucket");
  const s3 = await startS3OverR2({ bucket });
  onTestFinished(s3.stop);
  // Other isolates, and another instance of the object over what it has written.
  const begin = () => target.restart(OFTEN);
  return {
    target,
    watch: begin,
    evict: begin,
    looked: () => more(() => readsOf(target), 2),
    slowWrites(slowMs) {
      target.store.behave("slow", RELEASE, { method: "put", slowMs });
      s3.slowMs = slowMs;
    },
    writes: () => writesOf(target) + s3.puts.length,
    command: {
      flags: ["--store", "r2://models", "--url", url],
      env: { ...KEYS, S3_ENDPOINT: s3.endpoint },
    },
  };
}

const INSTANCES = 2;
const SCHEDULED = { source: "aws.events", "detail-type": "Scheduled Event", detail: {} };
/** The pause between the events of a schedule. */
const PAUSE_MS = 300;

/** Two environments of the function `predict` and two of `watch`, whose schedule sends each event to both. */
export async function startLambdas(models: string): Promise<Deployment> {
  const table = await startDynamoDb("rates");
  onTestFinished(table.stop);
  let watchers: Lambda[] = [];
  let s3Endpoint = "";
  const target = await startOverS3({ models, env: { ...table.env, ...ENV } }, async (env) => {
    s3Endpoint = env["S3_ENDPOINT"] ?? "";
    const options = { directory: lambdaDirectory, handler: "index.handler", env, freeze: true };
    const all = await Promise.all(
      Array.from({ length: 2 * INSTANCES }, () => startLambda(options)),
    );
    watchers = all.slice(0, INSTANCES);
    return inTurn(all.slice(INSTANCES), all);
  });
  const ending = new AbortController();
  let rounds = 0;
  let schedule = Promise.resolve();
  const look = async (): Promise<void> => {
    for (; !ending.signal.aborted; rounds++) {
      await Promise.all(watchers.map(({ invoke }) => invoke(SCHEDULED)));
      await sleep(PAUSE_MS);
    }
  };
  onTestFinished(async () => {
    ending.abort();
    await Promise.all([target.stop(), schedule]);
  });
  return {
    target,
    watch: async () => void (schedule = look()),
    evict: target.restart,
    looked: () => more(() => rounds, 2),
    slowWrites: (slowMs) => target.store.behave("slow", RELEASE, { method: "put", slowMs }),
    writes: () => writesOf(target),
    command: {
      flags: ["--store", "s3://models", "--table", "rates"],
      env: { ...table.env, ...toS3(s3Endpoint) },
    },
  };
}

/** Two Node servers that count together in Redis. Both look. */
export async function startNodes(models: string): Promise<Deployment> {
  const redis = await startRedis();
  onTestFinished(redis.stop);
  let s3Endpoint = "";
  const options = { models, env: { REDIS_URL: redis.url, ...ENV, ...NEVER } };
  const target = await startOverS3(options, async (env) => {
    s3Endpoint = env["S3_ENDPOINT"] ?? "";
    const servers = await Promise.all(
      Array.from({ length: INSTANCES }, () => startNodeServer({ env })),
    );
    return inTurn(servers, servers);
  });
  onTestFinished(target.stop);
  return {
    target,
    watch: () => target.restart(OFTEN),
    looked: () => more(() => readsOf(target), 2 * INSTANCES),
    slowWrites: (slowMs) => target.store.behave("slow", RELEASE, { method: "put", slowMs }),
    writes: () => writesOf(target),
    command: { flags: ["--store", "s3://models", "--redis", redis.url], env: toS3(s3Endpoint) },
  };
}

interface Instance {
  fetch: Target["fetch"];
  readonly logs: string;
  stop: () => Promise<unknown>;
}

/** Asks one instance after the other. Logs are those of all. */
function inTurn(asked: readonly Instance[], all: readonly Instance[]) {
  let turn = 0;
  return {
    fetch: async (...request: Parameters<Target["fetch"]>) => {
      const next = asked[(turn += 1) % asked.length];
      if (!next) throw new Error("there is no instance");
      return next.fetch(...request);
    },
    logs: () => all.map(({ logs }) => logs).join(""),
    stop: async () => void (await Promise.all(all.map(({ stop }) => stop()))),
  };
}

function toS3(endpoint: string): Record<string, string> {
  return { ...KEYS, S3_ENDPOINT: endpoint, S3_FORCE_PATH_STYLE: "true" };
}

/** Waits until the number is so much higher. */
async function more(count: () => number, by: number): Promise<void> {
  const before = count();
  await vi.waitFor(
    () => {
      if (count() < before + by) throw new Error(`only ${count() - before} more of ${by}`);
    },
    { timeout: 60_000, interval: 50 },
  );
}
