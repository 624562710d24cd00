import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createProcessPool } from "../../functions/runtime/process-pool.ts";
import type { Tensor, Tensors } from "../../functions/tensor.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { childrenOf, isRunning } from "../harness/processes.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const slow = { path: join(fixtures, "slow/1/model.onnx") };
const divide = { path: join(fixtures, "breaking/divide/1/model.onnx") };

function startPool(workers: number) {
  return createProcessPool({ workers, threads: 1, memoryBytes: 2 ** 32, log: () => undefined });
}

function iterations(count: number): Tensors {
  return { iterations: { datatype: "INT64", shape: [1], data: BigInt64Array.of(BigInt(count)) } };
}

function division(a: number, b: number): Tensors {
  return { a: int32(a), b: int32(b) };
}

function int32(value: number): Tensor {
  return { datatype: "INT32", shape: [1], data: Int32Array.of(value) };
}

/** No INT32 holds -2147483648 / -1: the native runtime's process dies of it. */
const deadly = division(-2147483648, -1);

test("runs in any process give the same answer, and inputs may be used again", async () => {
  const session = await startPool(2).load(slow);
  const feeds = iterations(3);
  const results = await Promise.all(Array.from({ length: 8 }, () => session.run(feeds, ["y"])));
  expect(results[0]?.["y"]).toMatchObject({ datatype: "FP32", shape: [1, 128] });
  for (const result of results) expect(result).toEqual(results[0]);
  await session.release();
  // Twice: released in both.
  await session.release();
});

test("what ONNX Runtime refuses rejects that call only", async () => {
  const pool = startPool(1);
  await expect(pool.load({ bytes: Uint8Array.of(1, 2, 3) })).rejects.toThrow(/protobuf/i);
  const session = await pool.load(slow);
  const wrong: Tensors = { iterations: { datatype: "FP32", shape: [1], data: Float32Array.of(1) } };
  await expect(session.run(wrong, ["y"])).rejects.toThrow(/unexpected input data type/i);
  expect(await session.run(iterations(1), ["y"])).toHaveProperty("y");
});

test("memory that is not there is refused, as it is without processes", async () => {
  const session = await startPool(1).load({
    path: join(fixtures, "breaking/allocate/1/model.onnx"),
  });
  const elements = { datatype: "INT64" as const, shape: [1] };
  const run = (count: bigint) =>
    session.run({ elements: { ...elements, data: BigInt64Array.of(count) } }, ["largest"]);
  await expect(run(100_000_000_000n)).rejects.toMatchObject({ code: "out_of_memory" });
  expect((await run(5n))["largest"]?.data).toEqual(Float32Array.of(1));
});

test.each([1, 2])(
  "with %i processes a run that kills them fails alone, and those behind it are answered",
  async (workers) => {
    const session = await startPool(workers).load(divide);
    const runs = Array.from({ length: 12 }, (_, index) =>
      session.run(index === 3 ? deadly : division(6 * index, 3), ["y"]),
    );
    for (const [index, result] of (await Promise.allSettled(runs)).entries())
      if (index === 3) expect(result).toMatchObject({ reason: { code: "runtime_failed" } });
      else expect(result).toMatchObject({ value: { y: { data: Int32Array.of(2 * index) } } });
  },
);

let server: NodeServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function start(workers: string, store = fixtures): Promise<NodeServer> {
  server = await startNodeServer({
    // Refused requests are another test's subject. A busy machine is slow to start a process again.
    env: { STORE: store, WORKERS: workers, MAX_QUEUE_MS: "60000", REQUEST_TIMEOUT_MS: "120000" },
  });
  return server;
}

async function predict({ fetch }: NodeServer, model: string, inputs: unknown) {
  const response = await fetch(`/v1/models/${model}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("with WORKERS the server answers while a model runs", async () => {
  const running = await start("1");
  expect((await predict(running, "slow", { iterations: [1] })).status).toBe(200);
  const slowOne = predict(running, "slow", { iterations: [500_000] });
  await sleep(100);
  const order: string[] = [];
  const done = slowOne.then(() => order.push("slow model"));
  for (let ask = 0; ask < 5; ask++) {
    expect((await running.fetch("/health")).status).toBe(200);
    order.push("health");
  }
  await done;
  expect(order).toEqual([...Array.from({ length: 5 }, () => "health"), "slow model"]);
  expect((await slowOne).status).toBe(200);
});

test("an input that kills its process is answered 503, and the server answers on", async () => {
  const running = await start("2", join(fixtures, "breaking"));
  for (let turn = 0; turn < 3; turn++) {
    const [deadlyAnswer, other] = await Promise.all([
      predict(running, "divide", { a: [6, -2147483648], b: [3, -1] }),
      predict(running, "divide", { a: [6], b: [3] }),
    ]);
    expect([deadlyAnswer.status, deadlyAnswer.body["code"]]).toEqual([503, "runtime_failed"]);
    expect([other.status, other.body["outputs"]]).toEqual([200, { y: [2] }]);
  }
});

const onLinux = process.platform === "linux";

test.runIf(onLinux)(
  "processes killed under load lose no request and no answer is wrong",
  async () => {
    const running = await start("2");
    const expected = (await predict(running, "slow", { iterations: [300] })).body["outputs"];
    const before = await childrenOf(running.pid);
    expect(before).toHaveLength(2);
    const stop = new AbortController();
    let answered = 0;
    const clients = Array.from({ length: 8 }, async () => {
      while (!stop.signal.aborted) {
        const { status, body } = await predict(running, "slow", { iterations: [300] });
        expect([status, body["outputs"]]).toEqual([200, expected]);
        answered++;
      }
    });
    for (let kill = 0; kill < 4; kill++) {
      const goal = answered + 50;
      await expect.poll(() => answered).toBeGreaterThan(goal);
      process.kill((await childrenOf(running.pid))[0] ?? 0, "SIGSEGV");
    }
    const goal = answered + 50;
    await expect.poll(() => answered).toBeGreaterThan(goal);
    stop.abort();
    await Promise.all(clients);
    const after = await childrenOf(running.pid);
    expect(after).toHaveLength(2);
    expect(running.logs.match(/"signal":"SIGSEGV"/g)).toHaveLength(4);
  },
);

test.runIf(onLinux)("SIGTERM and SIGKILL of the server end its processes too", async () => {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const running = await start("2");
    await predict(running, "slow", { iterations: [1] });
    const children = await childrenOf(running.pid);
    expect(children).toHaveLength(2);
    process.kill(running.pid, signal);
    await expect.poll(() => Promise.all(children.map(isRunning))).toEqual([false, false]);
  }
});

test.runIf(onLinux)("a signal to the whole group loses no request", async () => {
  const running = await start("1");
  await predict(running, "slow", { iterations: [1] });
  const last = predict(running, "slow", { iterations: [300_000] });
  await sleep(100);
  for (const pid of [...(await childrenOf(running.pid)), running.pid]) process.kill(pid, "SIGTERM");
  expect((await last).status).toBe(200);
  await expect.poll(() => isRunning(running.pid)).toBe(false);
});
