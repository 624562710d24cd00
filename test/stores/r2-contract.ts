import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, test } from "vitest";
import type { Store } from "../../functions/model/store.ts";
import { storeContract } from "../../functions/testing.ts";
import { startWorker } from "../harness/worker.ts";

/** The store runs in workerd, on its own R2 binding. This side only carries calls and results. */
export function r2Contract(prefix: string): void {
  let worker: Awaited<ReturnType<typeof startWorker>>;
  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), "nearcast-r2-"));
    const entryPoints = [join(import.meta.dirname, "r2-worker.ts")];
    await build({
      entryPoints,
      outdir: directory,
      bundle: true,
      format: "esm",
      logLevel: "warning",
    });
    worker = await startWorker({
      directory,
      compatibilityDate: "2026-10-20",
      store: "plain",
    });
    await rm(directory, { recursive: true });
  });
  afterAll(() => worker.stop());

  async function call(method: string, key: string, option?: unknown, body?: Uint8Array) {
    const query = new URLSearchParams({ prefix, key, option: JSON.stringify(option ?? null) });
    const init = { method: "POST", body: (body ?? new Uint8Array()) as BodyInit };
    const response = await worker.fetch(`/${method}?${query}`, init);
    if (response.status !== 200) throw new Error(await response.text());
    return response;
  }

  const store: Store = {
    async get(key, { ifNoneMatch } = {}) {
      const response = await call("get", key, ifNoneMatch);
      const etag = response.headers.get("etag");
      if (!etag) return ((await response.json()) as "not-modified" | null) ?? undefined;
      return { bytes: new Uint8Array(await response.arrayBuffer()), etag };
    },
    head: async (key) =>
      ((await (await call("head", key)).json()) as Awaited<ReturnType<Store["head"]>>) ?? undefined,
    list: async (below) => (await (await call("list", below)).json()) as string[],
    put: async (key, bytes, condition) =>
      ((await (await call("put", key, condition, bytes)).json()) as string | null) ?? undefined,
  };
  for (const { name, run } of storeContract(() => store)) test(name, run, 300_000);
}
