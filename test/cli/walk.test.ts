import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { lambdaDirectory } from "../harness/build.ts";
import { startLambda } from "../../cli/local/lambda.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import {
  addLines,
  removeLines,
  root,
  s3Environment,
  succeed,
  temporaryFolder,
} from "./nearcast.ts";

const LIMIT_MS = 300_000;
const FRESH = { RELEASE_TTL_SECONDS: "1" };

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3({ buckets: ["models"] });
});
afterAll(() => s3.close());
afterAll(removeLines);

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

async function predict(fetch: Fetch): Promise<unknown> {
  const response = await fetch("/v1/models/line/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: { a: 1, b: 2, c: 3 } }),
  });
  return response.json();
}

const answerOf = (version: string, value: number) => ({
  model: "line",
  version,
  outputs: { value },
});

/** From file to answer, to a new version, and back, with the function running all the while. */
async function walk(
  store: string[],
  env: Record<string, string>,
  start: () => Promise<Fetch>,
): Promise<void> {
  const models = await temporaryFolder();
  const [url = "", ...flags] = store;
  await addLines(models);
  for (const version of ["line@1", "line@2"])
    await succeed(["push", version, "--models", models, "--to", url, ...flags], env);
  const fetch = await start();
  expect((await predict(fetch)) as object).toMatchObject({ code: "unknown_model" });

  const at = ["--store", url, ...flags];
  await succeed(["release", "line@1", ...at, "--by", "ada"], env);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("1", 6));
  await succeed(["release", "line@2", ...at, "--by", "ada", "--why", "ten times as much"], env);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("2", 60));
  await succeed(["rollback", "line", ...at, "--by", "bob"], env);
  await expect.poll(() => predict(fetch)).toEqual(answerOf("1", 6));

  const history = JSON.parse(await succeed(["history", "line", "--json", ...at], env)) as object;
  expect(history).toMatchObject({
    stable: "1",
    history: [
      { version: "1", by: "bob", why: "rollback from 2" },
      { version: "2", by: "ada", why: "ten times as much" },
      { version: "1", by: "ada" },
    ],
  });
  expect(JSON.parse(await succeed(["list", "--json", ...at], env))).toEqual({
    models: [{ name: "line", versions: ["1", "2"], released: "1" }],
  });
}

test(
  "from file to endpoint, release and rollback, over a folder on Node",
  async () => {
    const store = join(await temporaryFolder(), "store");
    await walk([store], {}, async () => {
      const server = await startNodeServer({ cwd: root, env: { STORE: store, ...FRESH } });
      onTestFinished(async () => void (await server.stop()));
      return server.fetch;
    });
  },
  LIMIT_MS,
);

test(
  "from file to endpoint, release and rollback, over S3 on Lambda",
  async () => {
    const env = s3Environment(s3);
    const temporary = await temporaryFolder();
    await walk(["s3://models/lambda"], env, async () => {
      const lambda = await startLambda({
        directory: lambdaDirectory,
        handler: "index.handler",
        env: { ...env, AUTH: "none", STORE: "s3://models/lambda", TMPDIR: temporary, ...FRESH },
      });
      onTestFinished(lambda.stop);
      return lambda.fetch;
    });
  },
  LIMIT_MS,
);

test(
  "from file to endpoint, release and rollback, over R2's S3 API on Node",
  async () => {
    const env = s3Environment(s3);
    const temporary = await temporaryFolder();
    await walk(["r2://models/node"], env, async () => {
      const server = await startNodeServer({
        cwd: root,
        env: { ...env, STORE: "s3://models/node", TMPDIR: temporary, ...FRESH },
      });
      onTestFinished(async () => void (await server.stop()));
      return server.fetch;
    });
  },
  LIMIT_MS,
);

test(
  "from file to endpoint, release and rollback, over R2 in workerd",
  async () => {
    const state = await temporaryFolder();
    const store = ["r2://nearcast-models", "--local", "--persist-to", state];
    await walk(store, {}, () => startWranglerDev(state));
  },
  LIMIT_MS,
);

/** `wrangler dev` over the same local bucket that the command fills. */
async function startWranglerDev(state: string): Promise<Fetch> {
  const script = join(root, "node_modules/wrangler/bin/wrangler.js");
  const flags = ["--port", "0", "--ip", "127.0.0.1", "--persist-to", state];
  const child = spawn(
    process.execPath,
    [
      script,
      "dev",
      ...flags,
      "--var",
      "RELEASE_TTL_SECONDS:1",
      "--var",
      "AUTH:none",
      "--show-interactive-dev-session=false",
    ],
    {
      cwd: root,
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: state,
        WRANGLER_SEND_METRICS: "false",
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const closed = new Promise((resolve) => child.once("close", resolve));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await closed;
  });
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const [, found] = /Ready on (http:\/\/[\d.]+:\d+)/.exec(output) ?? [];
      if (found) resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("close", () => reject(new Error(`wrangler dev ended:\n${output}`)));
  });
  return (path, init) => fetch(new URL(path, url), init);
}
