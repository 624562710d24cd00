// `npm run bench -- --only wasm` measures the WASM memory of the edge's runtime, with large weights and after many loads.
// The tests in test/runtime do the same and fail beyond the bounds.
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createRegistry } from "../functions/model/registry.ts";
import { createSessions } from "../functions/model/sessions.ts";
import { createTasks } from "../functions/tasks/tasks.ts";
import { createNodePlatform } from "../functions/platform/node.ts";
import { collect } from "../test/harness/collect.ts";
import type { Table } from "./report.ts";

const MIB = 1024 * 1024;
const [ROWS, COLUMNS] = [2048, 4096];
const FIXTURE = join(import.meta.dirname, "../test/fixtures/breaking/weights");

/** One row for {@link largeWeightsStore}'s model. */
export const LARGE_ROW = Float32Array.from({ length: ROWS }, (_, index) => index / ROWS);

/** A store with one model: y = x · 2 in its first 2,048 columns. Its 32 MiB of fp32 weights are a file of their own. */
export async function largeWeightsStore(): Promise<string> {
  const store = await mkdtemp(join(tmpdir(), "nearcast-weights-"));
  await cp(FIXTURE, join(store, "weights"), { recursive: true });
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
  return store;
}

/** Bytes once the model of {@link largeWeightsStore} has answered {@link LARGE_ROW} with `y`. */
export interface LargeWeights {
  y: unknown;
  wasm: number;
  /** The growth of JavaScript's buffers that cannot be collected, without WASM memory. */
  buffers: number;
}

export async function serveLargeWeights(store: string): Promise<LargeWeights> {
  const platform = createNodePlatform({ RUNTIME: "wasm", STORE: store });
  const registry = createRegistry(platform, createTasks());
  const sessions = createSessions(platform, registry);
  const runtime = await platform.runtime();
  const { manifest } = await registry.resolve("weights");
  const before = await buffersAtRest();
  const { session, end } = await sessions.acquire(manifest);
  const x = { datatype: "FP32" as const, shape: [1, ROWS], data: LARGE_ROW };
  const { y } = await session.run({ x }, ["y"]);
  end();
  const wasm = runtime.memoryBytes?.() ?? NaN;
  return { y: y?.data.slice(0, ROWS), wasm, buffers: (await buffersAtRest()) - before };
}

async function buffersAtRest(): Promise<number> {
  for (let turn = 0; turn < 5; turn++) {
    collect();
    await sleep(20);
  }
  return process.memoryUsage().arrayBuffers;
}

export interface LoadsInTurn {
  /** Bytes of WASM memory after each load. */
  sizes: number[];
  /** How many loads found their model loaded. It is 0 when the budget drops a model each time. */
  held: number;
  /** The number of sessions at the end. */
  sessions: number;
}

/** Loads three models in turn, 100 times, with a budget for two. */
export async function loadInTurn(): Promise<LoadsInTurn> {
  // They have 191, 154 and 65 KB.
  const models = ["sentiment", "search", "iris"];
  const platform = createNodePlatform({ RUNTIME: "wasm", SESSION_BUDGET_MB: "0.35" });
  const registry = createRegistry(platform, createTasks());
  const sessions = createSessions(platform, registry);
  const runtime = await platform.runtime();
  const sizes: number[] = [];
  let held = 0;
  for (let load = 0; load < 100; load++) {
    const { manifest } = await registry.resolve(models[load % 3] ?? "");
    if (sessions.has(manifest)) held += 1;
    (await sessions.acquire(manifest)).end();
    sizes.push(runtime.memoryBytes?.() ?? NaN);
  }
  return { sizes, held, sessions: sessions.count() };
}

export async function wasm(): Promise<Table[]> {
  const store = await largeWeightsStore();
  const { wasm, buffers } = await serveLargeWeights(store).finally(() =>
    rm(store, { recursive: true }),
  );
  const { sizes, held } = await loadInTurn();
  if (held > 0) throw new Error(`${held} loads found their model loaded`);
  const afterTen = sizes[9] ?? NaN;
  return [
    {
      title: "WASM memory",
      note: "MiB, of the runtime that Workers have, on Node.",
      columns: ["what", "measured", "at most"],
      rows: [
        ["a model with 32 MiB of fp32 weights, after its first answer", mib(wasm), "48"],
        ["JavaScript's buffers then, more than before the load", mib(buffers), ""],
        ["three models in turn, a budget for two: after 10 loads", mib(afterTen), ""],
        ["most after any of 100 loads", mib(Math.max(...sizes)), mib(afterTen)],
      ],
    },
  ];
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
