import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import { tooLarge } from "../../functions/model/too-large.ts";
import { SESSION_BUDGETS_MB, WORKER_ISOLATE } from "../../functions/platform/session-budgets.ts";

const MIB = 1024 * 1024;
const iris = JSON.parse(await readFile("models/iris/1/model.json", "utf8")) as Manifest;
const worker = {
  sessionBudgetBytes: SESSION_BUDGETS_MB.cloudflare * MIB,
  isolate: WORKER_ISOLATE,
};

/** Iris as if it had files of so many MiB, and took so much memory. */
function irisOf(mib: number, measured: Partial<Manifest["artifact"]> = {}) {
  return { ...iris, artifact: { ...iris.artifact, bytes: mib * MIB, ...measured } };
}

test("the shipped models fit a Worker", () => {
  expect(tooLarge(iris, worker)).toBeUndefined();
});

test("files above the budget are too large everywhere", () => {
  const over = { what: "files", bytes: 33 * MIB, limit: 32 * MIB, isEstimate: false };
  expect(tooLarge(irisOf(33, { wasmBytes: MIB }), worker)).toEqual(over);
  const server = { sessionBudgetBytes: 32 * MIB };
  expect(tooLarge(irisOf(33), server)).toEqual(over);
  expect(tooLarge(irisOf(32), server)).toBeUndefined();
});

test("a process that has less than loading and running took cannot serve the version", () => {
  const server = { sessionBudgetBytes: 512 * MIB, processBytes: 1024 * MIB };
  const over = { what: "memory to load and run", bytes: 1025 * MIB, limit: 1024 * MIB };
  expect(tooLarge(irisOf(1, { peakBytes: 1025 * MIB }), server)).toEqual({
    ...over,
    isEstimate: false,
  });
  expect(tooLarge(irisOf(1, { peakBytes: 1024 * MIB }), server)).toBeUndefined();
  expect(tooLarge(irisOf(1, { peakBytes: 1025 * MIB }), worker)).toBeUndefined();
});

test.each([
  [1, 112, undefined],
  [1, 113, "WASM memory"],
  [16, 112, undefined],
  [17, 112, "WASM memory with its files"],
])("files of %s MiB that take %s MiB of WASM memory: %s", (mib, wasm, what) => {
  const over = tooLarge(irisOf(mib, { wasmBytes: wasm * MIB }), worker);
  expect([over?.what, over?.isEstimate]).toEqual([what, what && false]);
  expect(tooLarge(irisOf(mib, { wasmBytes: wasm * MIB }), { ...worker, isolate: undefined })).toBe(
    undefined,
  );
});

// What `verify` measured of forests and of matrices: 99.7, 197.9, 70.6 and 136.2 MiB of WASM memory.
test.each([
  ["a forest", 6, iris.features, false],
  ["a larger forest", 13, iris.features, true],
  ["a matrix", 15, undefined, false],
  ["a larger matrix", 31, undefined, true],
])("nobody measured %s of %s MiB: an estimate decides", (_what, mib, features, isOver) => {
  const over = tooLarge({ ...irisOf(mib), features }, worker);
  expect([over !== undefined, over?.isEstimate]).toEqual([isOver, isOver ? true : undefined]);
});

test("what a native session was measured to hold makes the estimate better", () => {
  expect(tooLarge(irisOf(13, { sessionBytes: 20 * MIB }), worker)).toBeUndefined();
  expect(tooLarge(irisOf(3, { sessionBytes: 71 * MIB }), worker)?.isEstimate).toBe(true);
});

test("weights outside of the file are in WASM memory once", () => {
  const { artifact, ...others } = { ...irisOf(1), features: undefined };
  const weights = { file: "model.data", sha256: artifact.sha256, bytes: 31 * MIB };
  const apart = { ...artifact, externalData: [weights], sessionBytes: 70 * MIB };
  expect(tooLarge({ ...others, artifact: apart }, worker)).toBeUndefined();
});
