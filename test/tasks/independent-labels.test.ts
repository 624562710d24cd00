import { expect, test } from "vitest";
import { labelReader } from "../../functions/tasks/classification/read-label.ts";
import type { ClassificationManifest } from "../../functions/tasks/classification/options.ts";

const manifest = {
  name: "topics",
  labels: ["a", "b"],
  label: { output: "label" },
  outputs: [{ name: "label", datatype: "INT64", shape: [-1, 2] }],
} as unknown as ClassificationManifest;
const read = labelReader(manifest, { output: "label" });
const label = (...data: bigint[]) => ({
  label: {
    datatype: "INT64" as const,
    shape: [data.length / 2, 2],
    data: BigInt64Array.from(data),
  },
});

test("independent labels are there where the graph says 1", () => {
  expect(read(label(1n, 0n, 1n, 1n, 0n, 0n), 3)).toEqual([[0], [0, 1], []]);
});

test("a class of several targets is no independent label", () => {
  expect(() => read(label(1n, 0n, 3n, 1n), 2)).toThrow(
    "says 3; of independent labels it says 0 or 1",
  );
});
