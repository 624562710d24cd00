import { createHash } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll } from "vitest";
import { getRequestListener } from "@hono/node-server";
import { createApp, type AppOptions } from "../../functions/app.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { Platform } from "../../functions/platform/types.ts";
import { createService } from "../../functions/service.ts";
import type { Target } from "../harness/targets.ts";
import { answerByFetch } from "../../cli/local/answer-by-fetch.ts";

export const SECRET = "a secret that both deployments have";

/** So few MiB that iris, digits, sentiment, search and retail do not fit, but their assets do. */
export const SMALL_MB = "0.06";

/** A server on loopback that can be told to end its connections. */
export interface Served {
  url: string;
  close: () => Promise<void>;
}

export async function served(listener: RequestListener): Promise<Served> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Takes servers that end after a file's tests, and gives their URLs. Called where `afterAll` may be. */
export function useServed(): (starting: Promise<Served>) => Promise<string> {
  const running: Served[] = [];
  afterAll(() => Promise.all(running.map(({ close }) => close())));
  return async (starting) => {
    const server = await starting;
    running.push(server);
    return server.url;
  };
}

/** The app of a Node deployment over the shipped models, in this process. */
export function deploy(
  env: Record<string, string> = {},
  options: AppOptions = {},
  parts: Partial<Platform> = {},
) {
  const platform = createNodePlatform({
    STORE: "models",
    AUTH: "none",
    ACCESS_LOG: "false",
    DEFAULT_MODEL: "iris",
    ...env,
  });
  return createApp(createService({ ...platform, ...parts }), options);
}

/** A region as a server. `look` sees each request before it is answered, and may return false: then nobody answers. */
export function serveRegion(
  env: Record<string, string> = {},
  look: (request: IncomingMessage) => unknown = () => undefined,
): Promise<Served> {
  const answer = getRequestListener(deploy({ SPILL_SECRET: SECRET, ...env }).fetch);
  return served((request, response) => {
    if (look(request) !== false) void answer(request, response);
  });
}

/** An edge that is too small for the shipped models. */
export function deployEdge(
  url: string,
  env: Record<string, string> = {},
  parts: Partial<Platform> = {},
) {
  const small = { SPILL_URL: url, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: SMALL_MB };
  return deploy({ ...small, ...env }, {}, parts);
}

/** A target's `fetch` as a server: a Lambda function has no port of its own. */
export function serveFetch({ fetch }: Pick<Target, "fetch">): Promise<Served> {
  return served((request, response) => void answerByFetch(fetch, request, response));
}

/** `isOther`: its ONNX file has one more field, and so another digest. */
export async function copyIris(
  models: string,
  version: string,
  { isOther = false } = {},
): Promise<void> {
  const folder = join(models, "iris", version);
  await cp("models/iris/1", folder, { recursive: true });
  const manifest = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as Manifest;
  const docString = isOther ? Buffer.from([0x32, 1, 0x61]) : Buffer.alloc(0);
  const bytes = Buffer.concat([await readFile(join(folder, "model.onnx")), docString]);
  await writeFile(join(folder, "model.onnx"), bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const artifact = { ...manifest.artifact, sha256, bytes: bytes.byteLength };
  await writeFile(join(folder, "model.json"), JSON.stringify({ ...manifest, version, artifact }));
}

interface Example {
  input: unknown;
}

/** The first example of a shipped model. */
export async function exampleOf(model: string): Promise<Example> {
  const manifest = await readFile(`models/${model}/1/model.json`, "utf8");
  return (JSON.parse(manifest) as { examples: [Example] }).examples[0];
}
