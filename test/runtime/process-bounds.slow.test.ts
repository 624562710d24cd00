import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createProcessPool } from "../../functions/runtime/process-pool.ts";
import type { Tensors } from "../../functions/tensor.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const fixtures = join(import.meta.dirname, "../fixtures");
const slow = { path: join(fixtures, "slow/1/model.onnx") };
const allocate = { path: join(fixtures, "breaking/allocate/1/model.onnx") };
const MIB = 1024 * 1024;

/** A loop of this many turns ends in some hundred years. */
const FOR_EVER = 10 ** 15;

function int64(name: string, value: number): Tensors {
  return { [name]: { datatype: "INT64", shape: [1], data: BigInt64Array.of(BigInt(value)) } };
}

function startPool(options: { workers: number; memoryBytes?: number }) {
  const logs: Record<string, unknown>[] = [];
  const log = (entry: Record<string, unknown>) => logs.push(entry);
  return { logs, pool: createProcessPool({ threads: 1, memoryBytes: 2 ** 32, ...options, log }) };
}

const soon = (milliseconds: number) => performance.now() + milliseconds;

test("a run that does not end costs its process, and those behind it are answered", async () => {
  const { pool, logs } = startPool({ workers: 1 });
  const session = await pool.load(slow);
  const endless = session.run(int64("iterations", FOR_EVER), ["y"], "", soon(500));
  const behind = session.run(int64("iterations", 1), ["y"], "", soon(120_000));
  const late = session.run(int64("iterations", 1), ["y"], "", soon(600));
  await expect(endless).rejects.toMatchObject({ code: "runtime_failed" });
  await expect(late).rejects.toMatchObject({ code: "deadline_exceeded" });
  expect(await behind).toHaveProperty("y");
  expect(logs).toMatchObject([{ reason: "late" }]);
});

test.skipIf(process.platform === "win32")(
  "a run that takes more memory than its process may is refused, and those behind it are answered",
  async () => {
    const { pool, logs } = startPool({ workers: 1, memoryBytes: 600 * MIB });
    const session = await pool.load(allocate);
    const run = (count: number) => session.run(int64("elements", count), ["largest"]);
    const [large, small] = await Promise.allSettled([run(2_000_000_000), run(5)]);
    expect(large).toMatchObject({ reason: { code: "out_of_memory" } });
    expect(small).toMatchObject({ value: { largest: { data: Float32Array.of(1) } } });
    expect(logs).toMatchObject([{ reason: "memory" }]);
  },
);

test.skipIf(process.platform === "win32")(
  "a process gives back the memory of a large run",
  async () => {
    const { pool } = startPool({ workers: 1 });
    const session = await pool.load(allocate);
    const run = (count: number) => session.run(int64("elements", count), ["largest"]);
    await run(5);
    const [child] = childrenOf(process.pid);
    const before = residentBytes(child);
    await run(100_000_000);
    expect(residentBytes(child) - before).toBeLessThan(100 * MIB);
  },
);

let server: NodeServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function start(): Promise<NodeServer> {
  server = await startNodeServer({
    env: {
      STORE: fixtures,
      WORKERS: "2",
      MAX_QUEUE_MS: "60000",
      REQUEST_TIMEOUT_MS: "4000",
    },
  });
  await predict(server, 1);
  return server;
}

async function predict({ fetch }: NodeServer, iterations: number): Promise<number> {
  const response = await fetch("/v1/models/slow/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs: { iterations: [iterations] } }),
  });
  await response.body?.cancel();
  return response.status;
}

test.skipIf(process.platform === "win32")(
  "two runs that never end in two processes are answered 504, and then others are answered",
  async () => {
    const running = await start();
    const before = childrenOf(running.pid);
    expect(await Promise.all([predict(running, FOR_EVER), predict(running, FOR_EVER)])).toEqual([
      504, 504,
    ]);
    await expect.poll(() => predict(running, 1)).toBe(200);
    await expect.poll(() => before.some(isRunning)).toBe(false);
  },
);

test.skipIf(process.platform === "win32")(
  "a server ends soon after SIGTERM, and its processes with it, though runs never end",
  async () => {
    const running = await start();
    const children = childrenOf(running.pid);
    expect(children).toHaveLength(2);
    const endless = [predict(running, FOR_EVER), predict(running, FOR_EVER)];
    await expect.poll(() => children.every(isBusy)).toBe(true);
    process.kill(running.pid, "SIGTERM");
    expect(await Promise.all(endless)).toEqual([504, 504]);
    const answered = performance.now();
    await expect.poll(() => isRunning(running.pid)).toBe(false);
    expect(performance.now() - answered).toBeLessThan(15_000);
    await expect.poll(() => children.some(isRunning)).toBe(false);
  },
);

test.skipIf(process.platform === "win32")(
  "processes whose runs never end do not outlive a server that is killed",
  async () => {
    const running = await start();
    const children = childrenOf(running.pid);
    const endless = [predict(running, FOR_EVER), predict(running, FOR_EVER)];
    await expect.poll(() => children.every(isBusy)).toBe(true);
    process.kill(running.pid, "SIGKILL");
    await Promise.allSettled(endless);
    await expect.poll(() => children.some(isRunning)).toBe(false);
  },
);

function ps(columns: string, ...filter: string[]): string[] {
  try {
    return execFileSync("ps", [...filter, "-o", columns], { encoding: "utf8" })
      .split("\n")
      .map((line) => line.trim());
  } catch {
    // There is no such process.
    return [];
  }
}

function childrenOf(pid: number): number[] {
  return ps("ppid=,pid=,args=", "-A")
    .filter((line) => line.includes("inference-process"))
    .map((line) => line.split(/\s+/).map(Number))
    .flatMap(([parent, child = 0]) => (parent === pid ? [child] : []));
}

function isRunning(pid: number): boolean {
  return ps("state=", "-p", String(pid)).some((state) => /^[^ZX]/.test(state));
}

/** Whether it computes. */
function isBusy(pid: number): boolean {
  return ps("state=", "-p", String(pid)).some((state) => state.startsWith("R"));
}

function residentBytes(pid = 0): number {
  return Number(ps("rss=", "-p", String(pid))[0]) * 1024;
}
