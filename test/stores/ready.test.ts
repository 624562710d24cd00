import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { R2Bucket } from "@cloudflare/workers-types";
import { expect, onTestFinished, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createR2Store } from "../../functions/platform/store/r2.ts";
import { createService } from "../../functions/service.ts";
import { startS3 } from "../../cli/local/s3-server.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { lambdaDirectory } from "../harness/build.ts";
import { startLambda } from "../../cli/local/lambda.ts";
import type { Store } from "../../functions/model/store.ts";

const CREDENTIALS = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_REGION: "us-east-1" };
for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);

interface Refusal {
  status: number;
  code: string;
  headers?: Record<string, string>;
}

/** An S3 that answers every request with one error. To HEAD it answers without a body, as S3 does. */
async function startRefusing({ status, code, headers }: Refusal): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(status, { "content-type": "application/xml", ...headers });
    response.end(
      request.method === "HEAD"
        ? ""
        : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function overS3(endpoint: string) {
  return { STORE: "s3://models", S3_ENDPOINT: endpoint, S3_FORCE_PATH_STYLE: "true" };
}

async function ready(env: Record<string, string>, store?: Store) {
  const platform = createNodePlatform({ AUTH: "none", ACCESS_LOG: "false", ...env });
  const log = vi.fn<(line: object) => void>();
  const app = createApp(createService({ ...platform, log, ...(store && { store }) }));
  const response = await app.request("/ready");
  const body = (await response.json()) as { store?: string; code?: string; detail?: string };
  return { status: response.status, body, logged: JSON.stringify(log.mock.calls) };
}

test("an empty bucket is reachable, and so is an empty folder", async () => {
  const s3 = await startS3({ buckets: ["models"] });
  onTestFinished(() => s3.close());
  const { status, body } = await ready(overS3(s3.endpoint));
  expect([status, body.store]).toEqual([200, "reachable"]);
  expect((await ready({ STORE: tmpdir() })).status).toBe(200);
});

test.each<[string, Refusal, string]>([
  ["no such bucket", { status: 404, code: "NoSuchBucket" }, "names a bucket that does not exist"],
  ["no access", { status: 403, code: "AccessDenied" }, "access to its bucket is denied"],
  ["an unknown key", { status: 403, code: "InvalidAccessKeyId" }, "not accept the credentials"],
  ["an old token", { status: 400, code: "ExpiredToken" }, "not accept the credentials"],
  [
    "another region",
    {
      status: 301,
      code: "PermanentRedirect",
      headers: { "x-amz-bucket-region": "eu-west-3" },
    },
    "its bucket is in another region, eu-west-3: set AWS_REGION",
  ],
  [
    "another region in the signature",
    { status: 400, code: "AuthorizationHeaderMalformed" },
    "its bucket is in another region",
  ],
])("S3: %s is said, to whoever asks and in the log", async (_what, refusal, reason) => {
  const { status, body, logged } = await ready(overS3(await startRefusing(refusal)));
  expect([status, body.code]).toEqual([503, "store_unavailable"]);
  expect(body.detail).toContain(reason);
  expect(logged).toContain(reason);
});

test("a server that answers everything with a page is not a store", async () => {
  const page = await startRefusing({ status: 200, code: "", headers: { etag: '"x"' } });
  const { status, body } = await ready(overS3(page));
  expect([status, body.detail]).toEqual([503, expect.stringContaining("is not a store")]);
});

test("a folder that is not there, or is a file", async () => {
  const folder = join(tmpdir(), `nearcast-none-${process.pid}`);
  const missing = await ready({ STORE: folder });
  expect([missing.status, missing.body.detail]).toEqual([
    503,
    expect.stringContaining("a folder that does not exist"),
  ]);
  expect(missing.body.detail).not.toContain(folder);
  await writeFile(folder, "");
  expect((await ready({ STORE: folder })).body.detail).toContain("names a file");
});

const gone = () => Promise.reject(new Error("head: The specified bucket does not exist (10006)"));

test("R2: a bucket that was deleted behind its binding", async () => {
  const store = createR2Store({ head: gone } as unknown as R2Bucket, "");
  const { status, body } = await ready({}, store);
  expect([status, body.detail]).toEqual([
    503,
    expect.stringContaining("names a bucket that does not exist"),
  ]);
});

test("the deployed Node server and the Lambda function say it too", async () => {
  const s3 = await startS3({ buckets: [] });
  onTestFinished(() => s3.close());
  const env = { ...CREDENTIALS, ...overS3(s3.endpoint), AUTH: "none" };
  const node = await startNodeServer({ env });
  onTestFinished(async () => void (await node.stop()));
  const lambda = await startLambda({ directory: lambdaDirectory, handler: "index.handler", env });
  onTestFinished(() => lambda.stop());
  for (const { fetch } of [node, lambda])
    for (const path of ["/ready", "/v2/health/ready", "/ping"]) {
      const response = await fetch(path);
      expect(response.status).toBe(503);
      expect(await response.text()).toContain("names a bucket that does not exist");
    }
});
