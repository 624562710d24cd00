import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRegistry } from "../../functions/model/registry.ts";
import { createSessions } from "../../functions/model/sessions.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { collect } from "../harness/collect.ts";
import { targets } from "../harness/targets.ts";

const MIB = 1024 * 1024;
const [ROWS, COLUMNS] = [2048, 4096];
const fixture = join(import.meta.dirname, "../fixtures/breaking/weights");

/** A store with one model of 32 MiB of fp32 weights, kept apart: y = x · 2 in its first 2,048 columns. */
let store: string;
beforeAll(async () => {
  store = await mkdtemp(join(tmpdir(), "nearcast-weights-"));
  await cp(fixture, join(store, "weights"), { recursive: true });
  const weights = new Float32Array(ROWS * COLUMNS);
  for (let row = 0; row < ROWS; row++) weights[row * COLUMNS + row] = 2;
  const bytes = Buffer.from(weights.buffer);
  await writeFile(join(store, "weights/1/weights.bin"), bytes);
  const path = join(store, "weights/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as { artifact: object };
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const externalData = [{ file: "weights.bin", sha256, bytes: bytes.length }];
  manifest.artifact = { ...manifest.artifact, externalData };
  await writeFile(path, JSON.stringify(manifest));
});
afterAll(() => rm(store, { recursive: true }));

const row = Float32Array.from({ length: ROWS }, (_, index) => index / ROWS);

test("32 MiB of weights take at most 48 MiB of WASM memory, and no JavaScript memory once loaded", async () => {
  const platform = createNodePlatform({ RUNTIME: "wasm", STORE: store });
  const registry = createRegistry(platform);
  const sessions = createSessions(platform, registry);
  const runtime = await platform.runtime();
  const { manifest } = await registry.resolve("weights");
  const before = await buffersAtRest();
  const { session, end } = await sessions.acquire(manifest);
  const x = { datatype: "FP32" as const, shape: [1, ROWS], data: row };
  const { y } = await session.run({ x }, ["y"]);
  expect(y?.data.slice(0, ROWS)).toEqual(row.map((value) => value * 2));
  end();
  expect(runtime.memoryBytes?.()).toBeLessThanOrEqual(48 * MIB);
  expect(await buffersAtRest()).toBeLessThan(before + 8 * MIB);
});

/** Bytes of JavaScript's buffers that cannot be collected; WASM memory is not among them. */
async function buffersAtRest(): Promise<number> {
  for (let turn = 0; turn < 5; turn++) {
    collect();
    await sleep(20);
  }
  return process.memoryUsage().arrayBuffers;
}

test("a Worker serves it", async () => {
  const target = await targets.worker({ models: store, env: { SESSION_BUDGET_MB: "40" } });
  try {
    for (let turn = 0; turn < 3; turn++) {
      const response = await target.fetch("/v1/models/weights/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: { x: [[...row]] } }),
      });
      const { outputs } = (await response.json()) as { outputs: { y: number[][] } };
      expect(outputs.y[0]?.slice(0, 3)).toEqual([0, 2 / ROWS, 4 / ROWS]);
    }
  } finally {
    await target.stop();
  }
});
