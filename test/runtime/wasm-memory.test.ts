import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { loadInTurn } from "../../bench/wasm.ts";
import { compileModule, evaluateFactory } from "../../functions/runtime/evaluate-factory.ts";
import type { CreateOrt } from "../../functions/runtime/onnxruntime-web-factory.ts";
import { createWebRuntime } from "../../functions/runtime/onnxruntime-web.ts";
import type { Runtime } from "../../functions/runtime/types.ts";
import type { Tensor } from "../../functions/tensor.ts";
import { collect } from "../harness/collect.ts";

const MIB = 1024 * 1024;
const fixtures = join(import.meta.dirname, "../fixtures");

async function startRuntime(createOrt: CreateOrt, maxMemoryBytes = 64 * MIB): Promise<Runtime> {
  return createWebRuntime({ createOrt, module: await compileModule(), maxMemoryBytes });
}

function int32(...data: number[]): Tensor {
  return { datatype: "INT32", shape: [data.length], data: Int32Array.from(data) };
}

async function codeOf(run: Promise<unknown>): Promise<unknown> {
  try {
    return await run;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

test("ONNX Runtime starts with its runtime, and waits for nothing but promises", async () => {
  let memory: WebAssembly.Memory | undefined;
  const createOrt = await evaluateFactory();
  await startRuntime((webAssembly) => {
    function Memory(descriptor: WebAssembly.MemoryDescriptor) {
      return (memory = new webAssembly.Memory(descriptor));
    }
    return createOrt(Object.create(webAssembly, { Memory: { value: Memory } }));
  });
  for (let turn = 0; turn < 200; turn++) await Promise.resolve();
  // WASM has written its constants.
  const bytes = new Uint8Array(memory?.buffer ?? new ArrayBuffer(0));
  expect(bytes.some((byte) => byte !== 0)).toBe(true);
});

test("the memory of a runtime that broke down is collected", async () => {
  const memories: WeakRef<WebAssembly.Memory>[] = [];
  const createOrt = await evaluateFactory();
  const runtime = await startRuntime((webAssembly) => {
    function Memory(descriptor: WebAssembly.MemoryDescriptor) {
      const memory = new webAssembly.Memory(descriptor);
      memories.push(new WeakRef(memory));
      return memory;
    }
    return createOrt(Object.create(webAssembly, { Memory: { value: Memory } }));
  });
  const bytes = await readFile(join(fixtures, "breaking/divide/1/model.onnx"));
  const CYCLES = 5;
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const session = await runtime.load({ bytes });
    // Not with expect().rejects: it would keep the error, and with it the memory it came from.
    const failure = await codeOf(session.run({ a: int32(-2147483648), b: int32(-1) }, ["y"]));
    const again = await codeOf(session.run({ a: int32(1), b: int32(1) }, ["y"]));
    expect([failure, session.lost?.(), again]).toEqual(["runtime_failed", true, "runtime_failed"]);
  }
  expect(memories).toHaveLength(CYCLES);
  const alive = () => memories.filter((memory) => memory.deref() !== undefined).length;
  for (let turn = 0; turn < 500 && alive() > 1; turn++) {
    await sleep(20);
    collect();
  }
  // The runtime itself holds the one it started last.
  expect(alive()).toBeLessThanOrEqual(1);
});

test("a load that needs more memory than there is fails and harms nothing", async () => {
  const runtime = await startRuntime(await evaluateFactory(), 32 * MIB);
  const divide = await readFile(join(fixtures, "breaking/divide/1/model.onnx"));
  const session = await runtime.load({ bytes: divide });
  const layers = { bytes: await readFile(join(fixtures, "breaking/layers/1/model.onnx")) };
  for (let turn = 0; turn < 3; turn++) {
    await expect(runtime.load(layers)).rejects.toMatchObject({ code: "out_of_memory" });
    const { y } = await session.run({ a: int32(6), b: int32(3) }, ["y"]);
    expect(y?.data).toEqual(Int32Array.of(2));
  }
});

test("an input that WASM memory has no room for is refused and overwrites nothing", async () => {
  const runtime = await startRuntime(await evaluateFactory(), 24 * MIB);
  const divide = await readFile(join(fixtures, "breaking/divide/1/model.onnx"));
  const session = await runtime.load({ bytes: divide });
  const large: Tensor = { datatype: "INT32", shape: [5 * MIB], data: new Int32Array(5 * MIB) };
  const run = session.run({ a: large, b: large }, ["y"]);
  await expect(run).rejects.toMatchObject({ code: "out_of_memory" });
  const { y } = await session.run({ a: int32(6), b: int32(3) }, ["y"]);
  expect(y?.data).toEqual(Int32Array.of(2));
});

test("loads of three models in turn under a budget that holds two do not grow WASM memory", async () => {
  const { sizes, held, sessions } = await loadInTurn();
  expect(held).toBe(0);
  expect(sessions).toBe(2);
  expect(Math.max(...sizes)).toBe(sizes[9]);
});
