import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLambda } from "../harness/lambda.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { startWorker } from "../harness/worker.ts";

/** One deployment that serves this repository's models and the Identity fixtures; iris by default. */
export interface Deployment {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  readonly logs: string;
  stop(): Promise<unknown>;
}

const env = { DEFAULT_MODEL: "iris", MAX_BODY_BYTES: "2000000" };

/** Every platform with its own runtime, each as it would be deployed. */
export const PLATFORMS: Record<string, () => Promise<Deployment>> = {
  node: () => withStore((store) => startNodeServer({ env: { ...env, STORE: store } })),
  "node with WASM": () =>
    withStore((store) => startNodeServer({ env: { ...env, STORE: store, RUNTIME: "wasm" } })),
  lambda: () =>
    withStore((store) =>
      startLambda({
        directory: "dist/lambda/x64",
        handler: "index.handler",
        env: { ...env, STORE: store },
      }),
    ),
  worker: async () => {
    const worker = await startWorker({
      directory: "dist/worker",
      compatibilityDate: "2026-11-01",
      vars: env,
      store: "plain",
    });
    await withStore(async (store) => {
      for (const name of await readdir(store, { recursive: true }))
        if (/\.\w+$/.test(name))
          await worker.put(name.replaceAll("\\", "/"), await readFile(join(store, name)));
      return { stop: async () => undefined };
    }).then((seeded) => seeded.stop());
    return worker;
  },
};

/** Starts something over a folder of all models, which is removed when it stops. */
async function withStore<T extends { stop(): Promise<unknown> }>(
  start: (store: string) => Promise<T>,
): Promise<T> {
  const store = await mkdtemp(join(tmpdir(), "nearcast-dialects-"));
  const model = (path: string) => /(^|[/\\])\d+([/\\]|$)|release\.json$/.test(path);
  for (const folder of ["models", "test/fixtures/identity"])
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
      if (entry.isFile() && model(entry.parentPath.concat("/", entry.name)))
        await cp(
          join(entry.parentPath, entry.name),
          join(store, entry.parentPath.slice(folder.length + 1), entry.name),
        );
  const started = await start(store);
  const stop = started.stop.bind(started);
  return Object.assign(started, {
    stop: () => stop().finally(() => rm(store, { recursive: true })),
  });
}

/** Sends JSON by POST. */
export async function post(
  { fetch }: Pick<Deployment, "fetch">,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body: answer, headers: response.headers };
}

export async function get(
  { fetch }: Pick<Deployment, "fetch">,
  path: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(path);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
