import { expect, test } from "vitest";
import { agreeingTensors, disagreements } from "../../functions/rollout/agreement.ts";
import { TensorJson } from "../../functions/wire/json-pieces.ts";

const tolerance = { absolute: 0.05, relative: 0.05 };
const flower = (label: string, score: number) => ({ label, score, scores: { [label]: score } });
const tensor = (
  datatype: "FP32" | "FP16" | "INT64",
  data: Float32Array | Uint16Array | BigInt64Array,
) => ({ datatype, shape: [data.length], data }) as const;
const json = (...values: number[]) =>
  new TensorJson(tensor("FP32", Float32Array.from(values)), "nested");

test.each<[string, unknown, unknown, boolean]>([
  ["the same label, near scores", flower("a", 0.9), flower("a", 0.82), true],
  ["the same label, other scores", flower("a", 0.9), flower("a", 0.7), false],
  ["another label", flower("a", 0.5), flower("b", 0.5), false],
  ["near values", { value: 100 }, { value: 104 }, true],
  ["far values", { value: 100 }, { value: 106 }, false],
  ["small values", 0, 0.04, true],
  ["near vectors", [0.6, 0.8], [0.62, 0.78], true],
  ["far vectors of small numbers", [0.6, 0.8], [0.8, 0.6], false],
  ["vectors of another length", [0.6, 0.8], [0.6, 0.8, 0], false],
  ["an absent member and undefined", { value: 1, unit: undefined }, { value: 1 }, true],
  ["another member", { value: 1 }, { value: 1, unit: "m" }, false],
  ["a list and an object", [], {}, false],
  ["missing numbers", { value: NaN }, { value: NaN }, true],
  ["a missing number and another", { value: NaN }, { value: 1 }, false],
  ["infinite and finite", { value: Infinity }, { value: 1 }, false],
  ["infinite both", [Infinity, 1], [Infinity, 1.01], true],
  ["tensors as JSON", { y: json(1, 2) }, { y: json(1, 2.05) }, true],
  ["other tensors as JSON", { y: json(1, 2) }, { y: json(1, 3) }, false],
  ["text", "yes", "yes", true],
  ["other text", "yes", "no", false],
])("%s", (_, stable, other, agree) => {
  expect(disagreements([stable], [other], tolerance)).toBe(agree ? 0 : 1);
});

test("all rows differ where there are not as many", () => {
  expect(disagreements([1, 2, 3], [1, 2], tolerance)).toBe(3);
  expect(disagreements([1, 2, 3], undefined, tolerance)).toBe(3);
  expect(disagreements([1, 2, 3], [1, 2, 4], tolerance)).toBe(1);
});

const ids = (...values: bigint[]) => [{ y: tensor("INT64", BigInt64Array.from(values)) }];
const half = (bits: number) => [{ y: tensor("FP16", Uint16Array.of(bits)) }];

test("whole numbers of tensors must be the same, and others near", () => {
  expect(agreeingTensors(ids(100n, 7n), ids(100n, 7n), tolerance)).toBe(true);
  expect(agreeingTensors(ids(100n, 7n), ids(101n, 7n), tolerance)).toBe(false);
  // 1 and 1.0009765625, then 2.
  expect(agreeingTensors(half(0x3c00), half(0x3c01), tolerance)).toBe(true);
  expect(agreeingTensors(half(0x3c00), half(0x4000), tolerance)).toBe(false);
  expect(agreeingTensors(half(0x3c00), [], tolerance)).toBe(false);
  expect(agreeingTensors(half(0x3c00), [{ x: half(0x3c00)[0]!.y }], tolerance)).toBe(false);
});
