import { spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished, test } from "vitest";
import { lambdaDirectory } from "../harness/build.ts";
import { startLambda } from "../../cli/local/lambda.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { startS3, type S3Server } from "../../cli/local/s3-server.ts";
import { removeLines, root, s3Environment, temporaryFolder } from "./nearcast.ts";
import { FRESH, LIMIT_MS, walk, type Fetch } from "./walk.ts";

let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3({ buckets: ["models"] });
});
afterAll(() => s3.close());
afterAll(removeLines);

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
