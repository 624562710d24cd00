import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createIssuerKeys } from "../../functions/auth/issuer-keys.ts";
import { createFeastSource } from "../../functions/platform/features/feast.ts";
import { readParameter } from "../../functions/platform/parameter-store.ts";
import { createDynamodbLimiter } from "../../functions/platform/limiter/dynamodb.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createFolderStore } from "../../functions/platform/store/folder.ts";
import { createS3Store } from "../../functions/platform/store/s3.ts";
import { createService } from "../../functions/service.ts";
import { startNodeServer } from "../harness/node-server.ts";

const MIB = 1024 * 1024;
const models = join(import.meta.dirname, "../../models");
const credentials = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: "test",
};
for (const [name, value] of Object.entries(credentials)) vi.stubEnv(name, value);

/** Sends for ever, but what `files` has. */
let server: Server;
let url: string;
let sent: number;
const files = new Map<string, Buffer>();
/** Whether the client has left each endless answer. */
let left: Promise<unknown>[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "", "http://localhost");
    const file = files.get(pathname);
    const status = pathname.startsWith("/forbidden") ? 403 : 200;
    response.writeHead(status, { ETag: '"1"', "Content-Type": "application/xml" });
    if (file) return void response.end(file);
    left.push(once(response, "close"));
    sendForEver(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv("AWS_ENDPOINT_URL_SSM", url);
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", url);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  sent = 0;
  left = [];
});

function sendForEver(response: ServerResponse): void {
  const piece = Buffer.alloc(MIB, "<Key>a</Key>");
  const send = (): void => {
    while (!response.destroyed) {
      sent += piece.byteLength;
      if (!response.write(piece)) return void response.once("drain", send);
    }
  };
  send();
}

/** What waits in the system's buffers was sent too. */
async function expectLeft(mostBytes: number): Promise<void> {
  expect(left.length).toBeGreaterThan(0);
  await Promise.all(left);
  expect(sent).toBeLessThan(left.length * (mostBytes + 32 * MIB));
}

const open = (bucket: string) =>
  createS3Store({ bucket, prefix: "", endpoint: url, forcePathStyle: true });

test("an object without an end is left when it is longer than it may be", async () => {
  const got = open("models").get("iris/1/model.onnx", { maxBytes: MIB });
  await expect(got).rejects.toThrow("more than the 1048576 bytes");
  await expectLeft(MIB);
  const untold = open("models").get("iris/release.json");
  await expect(untold).rejects.toThrow("more than the 67108864 bytes");
  await expectLeft(64 * MIB);
});

test("so are a list and a refusal without an end", async () => {
  await expect(open("models").list("")).rejects.toThrow();
  await expect(open("forbidden").get("a")).rejects.toThrow();
  await expectLeft(16 * MIB);
});

test("so are a parameter and an issuer's keys without an end", async () => {
  await expect(readParameter("/keys")).rejects.toThrow();
  const logs: unknown[] = [];
  const keys = createIssuerKeys(url, {
    waitUntil: () => undefined,
    log: (entry) => void logs.push(entry),
  });
  const token = { payload: "", signature: "" };
  await expect(keys({ alg: "ES256", kid: "a" }, token)).rejects.toMatchObject({
    code: "authentication_unavailable",
  });
  expect(JSON.stringify(logs)).toContain("more than the 16777216 bytes");
  await expectLeft(16 * MIB);
});

const OVERSIZED = [
  { file: "release.json", most: MIB },
  { file: "1/model.json", most: 16 * MIB },
  { file: "1/model.json.sig", most: 64 * 1024 },
];
const FLOWER = { model: "iris", inputs: [5.1, 3.5, 1.4, 0.2] };
const trusting = { TRUSTED_KEYS: Buffer.alloc(32, 1).toString("base64"), AUTH: "none" };

test.each(OVERSIZED)("so is $file on S3, after what it may have", async ({ file, most }) => {
  files.clear();
  for (const good of ["release.json", "1/model.json"])
    if (good !== file)
      files.set(`/models/iris/${good}`, await readFile(join(models, "iris", good)));
  if (!file.endsWith(".sig")) files.set("/models/iris/1/model.json.sig", Buffer.from(""));
  const s3 = { STORE: "s3://models", S3_ENDPOINT: url, S3_FORCE_PATH_STYLE: "true" };
  const service = createService(createNodePlatform({ ...s3, ...trusting }));
  await expect(service.predict(FLOWER)).rejects.toMatchObject({
    code: "model_corrupt",
    message: expect.stringContaining(`more than the ${most} bytes`) as string,
  });
  await expectLeft(most);
  files.clear();
});

test.each(OVERSIZED)("and so is $file in a folder", async ({ file, most }) => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-endless-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(join(models, "iris"), join(folder, "iris"), { recursive: true });
  await writeFile(join(folder, "iris", file), Buffer.alloc(most + 1, " "));
  const service = createService(createNodePlatform({ STORE: folder, ...trusting }));
  await expect(service.predict(FLOWER)).rejects.toMatchObject({
    code: "model_corrupt",
    message: expect.stringContaining(`more than the ${most} bytes`) as string,
  });
});

test("so is a feature server's answer without an end", async () => {
  const source = createFeastSource("customers", `feast+${url}`);
  const read = source.read([{ id: 1 }], ["shop:orders"], { signal: AbortSignal.timeout(20_000) });
  await expect(read).rejects.toThrow("more than the 16777216 bytes");
  await expectLeft(16 * MIB);
});

test("an answer of DynamoDB without an end is left", async () => {
  const limiter = createDynamodbLimiter("rates", { start: "now" });
  const rate = { limit: 10, windowSeconds: 60 };
  await expect(limiter.take("someone", 1, rate)).rejects.toThrow();
  await expectLeft(16 * MIB);
});

test.skipIf(process.platform === "win32")("in a folder what is no file is no object", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-endless-"));
  await symlink("/dev/zero", join(folder, "a"));
  expect(await createFolderStore(folder).get("a")).toBeUndefined();
  await rm(folder, { recursive: true });
});

test.skipIf(process.platform === "win32")(
  "a model whose artifact has no end is answered 502, and costs the server no memory",
  async () => {
    for (const file of ["release.json", "1/model.json"])
      files.set(`/models/iris/${file}`, await readFile(join(models, "iris", file)));
    const cache = await mkdtemp(join(tmpdir(), "nearcast-endless-"));
    const running = await startNodeServer({
      env: {
        ...credentials,
        STORE: "s3://models",
        S3_ENDPOINT: url,
        S3_FORCE_PATH_STYLE: "true",
        CACHE_DIR: cache,
      },
    });
    const predict = () =>
      running.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
      });
    expect((await predict()).status).toBe(502);
    const before = residentBytes(running.pid);
    for (let turn = 0; turn < 10; turn++) {
      const answer = await predict();
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
        502,
        "model_corrupt",
      ]);
    }
    expect(residentBytes(running.pid) - before).toBeLessThan(64 * MIB);
    await expectLeft(MIB);
    await running.stop();
    await rm(cache, { recursive: true });
  },
);

function residentBytes(pid: number): number {
  return Number(execFileSync("ps", ["-p", String(pid), "-o", "rss="], { encoding: "utf8" })) * 1024;
}
