import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { Store } from "../../functions/model/store.ts";
import { startWorker } from "../harness/worker.ts";

/** A store that runs in workerd, on its own R2 binding. This side only passes calls and results on. */
export async function startR2Store(
  prefix: string,
): Promise<{ store: Store; stop: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), "nearcast-r2-"));
  const entryPoints = [join(import.meta.dirname, "r2-worker.ts")];
  await build({
    entryPoints,
    outdir: directory,
    bundle: true,
    format: "esm",
    logLevel: "warning",
  });
  const worker = await startWorker({
    directory,
    compatibilityDate: "2026-10-20",
    store: "plain",
  });
  await rm(directory, { recursive: true });

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
    async slice(key, start, end) {
      const response = await call("slice", key, [start, end]);
      const bytes = new Uint8Array(await response.arrayBuffer());
      return response.headers.has("x-absent") ? undefined : bytes;
    },
    list: async (below) => (await (await call("list", below)).json()) as string[],
    put: async (key, bytes, condition) =>
      ((await (await call("put", key, condition, bytes)).json()) as string | null) ?? undefined,
    delete: async (key) => void (await call("delete", key)),
  };
  return { store, stop: worker.stop };
}
