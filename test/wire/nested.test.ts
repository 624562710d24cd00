import { expect, test } from "vitest";
import type { Tensor } from "../../functions/tensor.ts";
import { compile } from "../../functions/tasks/tensor/compile.ts";
import { toJsonValues } from "../../functions/wire/json-tensor.ts";
import { nestedInParts, toNested } from "../../functions/wire/nested.ts";

function tensorOf(shape: number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = BigInt64Array.from({ length: count }, (_, index) => 2n ** 53n + BigInt(index));
  return { datatype: "INT64", shape, data };
}

function finish<T>(parts: Generator<unknown, T, undefined>): { value: T; count: number } {
  for (let count = 1; ; count++) {
    const { done, value } = parts.next();
    if (done) return { value, count };
  }
}

test.each([
  ["a long row", [100_000], 7],
  ["a row in a row", [1, 1, 100_000], 7],
  ["many rows", [40_000, 3], 8],
  ["a few long rows", [3, 30_000], 6],
  ["rows of one number", [50_000, 1], 4],
  ["few numbers", [10, 10], 1],
  ["one number", [], 1],
  ["no numbers", [100, 0], 1],
])("%s are nested in parts as in one piece", (_, shape, least) => {
  const tensor = tensorOf(shape);
  const { value, count } = finish(nestedInParts(tensor, toJsonValues));
  expect(value).toEqual(toNested(tensor, toJsonValues));
  expect(count).toBeGreaterThanOrEqual(least);
});

test("the task of tensors makes a large answer in parts, and a small one at once", () => {
  const outputs = [{ name: "y", datatype: "INT64", shape: [-1] }];
  const task = compile({ inputs: [], outputs } as never, {} as never);
  const run = { feeds: {}, rows: 1 };
  const [small, large] = [tensorOf([3]), tensorOf([200_000])];
  expect(task.postprocess({ y: small }, run, { return_state: false })).toEqual([
    { y: toNested(small, toJsonValues) },
  ]);
  const parts = task.postprocess({ y: large }, run, { return_state: false });
  if (Array.isArray(parts)) throw new Error("It was made in one piece.");
  const { value, count } = finish(parts);
  expect(value).toEqual([{ y: toNested(large, toJsonValues) }]);
  expect(count).toBeGreaterThan(10);
});
