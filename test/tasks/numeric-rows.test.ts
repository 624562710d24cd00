import { expect, test } from "vitest";
import type { NearcastError } from "../../functions/errors.ts";
import type { Limits } from "../../functions/model/limits.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { Run } from "../../functions/tasks/define.ts";
import { tabularInputs } from "../../functions/tasks/tabular/inputs.ts";

/** Two inputs: one of floats with two features, one of doubles with one. */
const manifest = {
  task: "tabular-regression",
  inputs: [
    { name: "floats", datatype: "FP32", shape: [-1, 2] },
    { name: "doubles", datatype: "FP64", shape: [-1, 1] },
  ],
  features: [
    { name: "a", type: "number" },
    { name: "b", type: "integer", minimum: -2, maximum: 5 },
    { name: "c", type: "number", missing: "NaN" },
  ],
} as unknown as Manifest;

const { preprocess } = tabularInputs(manifest, { textLength: 100 } as Limits);

function feedsOf(rows: unknown[]) {
  const options = { pathOf: (row: number) => `inputs[${row}]`, parameters: {} };
  const [run] = preprocess(rows, options) as readonly Run[];
  return { floats: run?.feeds["floats"]?.data, doubles: run?.feeds["doubles"]?.data };
}

function pathsOf(rows: unknown[]): string[] {
  try {
    feedsOf(rows);
  } catch (error) {
    return (error as NearcastError).issues?.map(({ path }) => path) ?? [];
  }
  return [];
}

test("rows of numbers come to their inputs, by name in any order and by position", () => {
  const rows = [{ a: 0.1, b: 5, c: 1e300 }, { c: -0, a: -1.5, b: -2 }, [2, 3, 4]];
  expect(feedsOf(rows)).toEqual({
    floats: Float32Array.of(0.1, 5, -1.5, -2, 2, 3),
    doubles: Float64Array.of(1e300, -0, 4),
  });
});

test("a row that has something else among its numbers changes no other row", () => {
  const rows = [{ a: 1, b: 2, c: 3 }, { b: 1, c: null, a: 7 }, { a: 4, b: 5 }, [6, 0, NaN]];
  expect(feedsOf(rows)).toEqual({
    floats: Float32Array.of(1, 2, 7, 1, 4, 5, 6, 0),
    doubles: Float64Array.of(3, NaN, NaN, NaN),
  });
});

// The least number that rounds to 2^128 is half a step above the greatest float.
const [MOST, OVER] = [3.4028235677973362e38, 3.4028235677973366e38];

test.each([
  [{ a: MOST, b: 0, c: OVER }, []],
  [{ a: -MOST, b: 0, c: -OVER }, []],
  [{ a: OVER, b: 0, c: 0 }, ["inputs[0].a"]],
  [{ a: -OVER, b: 0, c: 0 }, ["inputs[0].a"]],
  [{ a: NaN, b: 0, c: 0 }, ["inputs[0].a"]],
  [{ a: 0, b: 5.5, c: 0 }, ["inputs[0].b"]],
  [{ a: 0, b: 6, c: 0 }, ["inputs[0].b"]],
  [{ a: 0, b: -3, c: 0 }, ["inputs[0].b"]],
  [{ a: "0", b: -3, c: Infinity }, ["inputs[0].a", "inputs[0].b", "inputs[0].c"]],
  [{ a: 0, b: 0, d: 0 }, ["inputs[0].d"]],
  [{ a: 0, b: 0, c: 0, d: 0 }, ["inputs[0].d"]],
  [{ a: 0, b: 0, c: 0, toString: 0 }, ["inputs[0].toString"]],
  [{ b: 0, c: 0 }, ["inputs[0].a"]],
  [[0, 6, 0], ["inputs[0][1]"]],
  [[0, 1], ["inputs[0]"]],
  [{ a: { valueOf: 1, toString: 1 }, b: 0, c: 0 }, ["inputs[0].a"]],
  [
    [[], Symbol("b"), {}],
    ["inputs[0][0]", "inputs[0][1]", "inputs[0][2]"],
  ],
])("of %j it refuses %j", (row, paths) => {
  expect(pathsOf([row, [1, 1, 1]])).toEqual(paths);
});

test("a bigint of a long number is refused as it stands", () => {
  expect(pathsOf([{ a: 12_345_678_901_234_567_890n, b: 0, c: 0 }])).toEqual(["inputs[0].a"]);
});

test("an input without columns has its rows", () => {
  const { preprocess: read } = tabularInputs(
    {
      ...manifest,
      inputs: [
        { name: "floats", datatype: "FP32", shape: [-1, 3] },
        { name: "none", datatype: "FP32", shape: [-1, 0] },
      ],
    },
    { textLength: 100 } as Limits,
  );
  const [run] = read(
    [
      [1, 2, 3],
      [4, 5, 4],
    ],
    { pathOf: String, parameters: {} },
  ) as readonly Run[];
  expect(run?.feeds["none"]?.shape).toEqual([2, 0]);
});
