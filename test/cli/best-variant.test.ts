import { expect, test } from "vitest";
import { bestVariant, type Variant } from "../../cli/optimize.ts";

const MIB = 1024 * 1024;

function variant(how: string, megabytes: number, wasm: number, createMs = 100): Variant {
  const measured = { coldLoadMs: 0, sessionBytes: 0, difference: 0 };
  const files = { artifact: { path: "", file: "" }, externalData: [], assets: [] };
  return { how, bytes: megabytes * MIB, wasmBytes: wasm * MIB, createMs, ...measured, files };
}

test.for([
  ["more memory is saved than files grow, but files are four times as large", 91, 104, undefined],
  ["less memory in files of the same size", 23.9, 104, "made"],
  ["hardly less memory", 23.6, 245, undefined],
  ["less WASM memory, and as much more in files", 25.9, 250, undefined],
] as const)("%s", ([, megabytes, wasm, best]) => {
  // What a MiniLM in 8 bits took whose weights become floats when it is loaded.
  const original = variant("as it is", 23.6, 253);
  expect(bestVariant(original, [variant("made", megabytes, wasm)])?.how).toBe(best);
});

test("of two that save as much memory, the one that starts faster", () => {
  const [slow, fast] = [variant("slow", 10, 40, 90), variant("fast", 10, 40, 20)];
  expect(bestVariant(variant("as it is", 10, 80), [slow, fast])?.how).toBe("fast");
});
