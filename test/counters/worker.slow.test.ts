import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { countersContract } from "../../functions/testing.ts";
import { startWorker, type WorkerHarness } from "../harness/worker.ts";

let folder: string;
let worker: WorkerHarness;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nearcast-counting-"));
  await build({
    entryPoints: [join(import.meta.dirname, "counting-worker.ts")],
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    external: ["node:*", "cloudflare:*"],
  });
  worker = await startWorker({
    directory: folder,
    compatibilityDate: "2026-10-20",
    compatibilityFlags: ["nodejs_compat"],
    modelState: true,
  });
});
afterAll(async () => {
  await worker.stop();
  await rm(folder, { recursive: true });
});

for (const { name } of countersContract(() => Promise.reject(new Error("only named"))))
  test(name, async () => {
    const answer = await worker.fetch("/", { method: "POST", body: name });
    expect(await answer.text()).toBe("kept");
  });
