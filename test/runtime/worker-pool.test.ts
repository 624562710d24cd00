import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorkerPool } from "../../functions/runtime/worker-pool.ts";
import type { Tensors } from "../../functions/tensor.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const artifact = { path: join(fixtures, "slow/1/model.onnx") };

function iterations(count: number): Tensors {
  return { iterations: { datatype: "INT64", shape: [1], data: BigInt64Array.of(BigInt(count)) } };
}

test("runs in any worker give the same answer, and inputs may be used again", async () => {
  const session = await createWorkerPool({ workers: 2, threads: 1 }).load(artifact);
  const feeds = iterations(3);
  const results = await Promise.all(Array.from({ length: 8 }, () => session.run(feeds, ["y"])));
  expect(results[0]?.["y"]).toMatchObject({ datatype: "FP32", shape: [1, 128] });
  for (const result of results) expect(result).toEqual(results[0]);
  await session.release();
  await expect(session.run(feeds, ["y"])).rejects.toThrow(/no session/);
});

test("what ONNX Runtime refuses rejects that call only", async () => {
  const pool = createWorkerPool({ workers: 1, threads: 1 });
  await expect(pool.load({ bytes: Uint8Array.of(1, 2, 3) })).rejects.toThrow();
  const session = await pool.load(artifact);
  const wrong: Tensors = { iterations: { datatype: "FP32", shape: [1], data: Float32Array.of(1) } };
  await expect(session.run(wrong, ["y"])).rejects.toThrow();
  expect(await session.run(iterations(1), ["y"])).toHaveProperty("y");
});

test("a worker that dies rejects its calls, and the next call has a new one", async () => {
  const started: Worker[] = [];
  const remember = (worker: Worker) => started.push(worker);
  process.on("worker", remember);
  const session = await createWorkerPool({ workers: 1, threads: 1 }).load(artifact);
  const lost = session.run(iterations(200_000), ["y"]);
  await Promise.all([expect(lost).rejects.toThrow(/exited/), started[0]?.terminate()]);
  expect(await session.run(iterations(1), ["y"])).toHaveProperty("y");
  expect(started).toHaveLength(2);
  process.off("worker", remember);
});

let server: NodeServer;
beforeAll(async () => {
  server = await startNodeServer({ env: { STORE: fixtures, WORKERS: "1" } });
});
afterAll(() => server.stop());

function predict(count: number): Promise<Response> {
  return server.fetch("/v1/models/slow/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: { iterations: [count] } }),
  });
}

test("with WORKERS the server answers while a model runs", async () => {
  expect((await predict(1)).status).toBe(200);
  const slow = predict(500_000);
  await sleep(100);
  const order: string[] = [];
  const done = slow.then(() => order.push("slow model"));
  for (let ask = 0; ask < 5; ask++) {
    expect((await server.fetch("/health")).status).toBe(200);
    order.push("health");
  }
  await done;
  expect(order).toEqual([...Array.from({ length: 5 }, () => "health"), "slow model"]);
  expect((await slow).status).toBe(200);
});
