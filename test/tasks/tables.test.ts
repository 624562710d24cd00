import { describe, expect, test } from "vitest";
import { writeColumns } from "./columns-model.ts";
import { emptyStore, fixture, openService, RUNTIMES, writePackage } from "./service.ts";

const tall = { age: 40, income: 2.5, member: true, city: "Oslo" };
const store = await emptyStore();
await writeColumns(store, "columns", { unit: "kr" });
await writePackage(store, {
  artifact: await fixture("graphs/one-row.onnx"),
  manifest: {
    name: "one-row",
    task: "tabular-classification",
    inputs: [{ name: "features", datatype: "FP32", shape: [1, 2] }],
    outputs: [{ name: "probabilities", datatype: "FP32", shape: [1, 2] }],
    features: ["a", "b"].map((name) => ({ name, type: "number" })),
    labels: ["a", "b"],
    scores: { output: "probabilities", activation: "none" },
  },
});

describe.each(RUNTIMES)("tables on %s", (runtime) => {
  const { predict } = openService(store, runtime);

  test("a regression answers with the number and its unit", async () => {
    expect((await predict("columns", tall)).outputs).toEqual({ value: 152.5, unit: "kr" });
  });

  test("a column of its own for each feature takes integers, booleans and categories", async () => {
    const { outputs } = await predict("columns", [
      tall,
      { ...tall, member: false },
      [7, 0, true, "Bergen"],
    ]);
    expect((outputs as { value: number }[]).map(({ value }) => value)).toEqual([152.5, 142.5, 217]);
  });

  test.each([
    [{ ...tall, city: "Paris" }, "inputs.city", 'must be one of "Oslo", "Bergen"'],
    [{ ...tall, city: 5 }, "inputs.city", "must be a string"],
    [{ ...tall, city: "Os\0lo" }, "inputs.city", "must not contain a NUL character"],
    [{ ...tall, member: 1 }, "inputs.member", "must be true or false"],
    [{ ...tall, member: "true" }, "inputs.member", "must be true or false"],
    [{ ...tall, age: 40.5 }, "inputs.age", "must be an integer"],
    [{ ...tall, age: 2 ** 53 }, "inputs.age", "must be an integer"],
    [{ ...tall, age: 151 }, "inputs.age", "must be at most 150 years"],
    [{ ...tall, income: "2.5" }, "inputs.income", "must be a number"],
    [{ ...tall, income: 1e39 }, "inputs.income", "must be a number"],
    [
      { ...tall, income: null },
      "inputs.income",
      "is missing (null), and the manifest has no field missing for income",
    ],
    [{ ...tall, extra: 1 }, "inputs.extra", "is not a feature of this model"],
    [{ age: 1, income: 1, member: true }, "inputs.city", "is missing"],
    [[tall, [1, 2]], "inputs[1]", "must have 4 values, has 2"],
    [[tall, 5], "inputs[1]", "must be an object of features or an array of their values"],
    ["text", "inputs", "must be an object of features or an array of their values"],
  ])("refuses %j", async (inputs, path, message) => {
    const { status, errors } = await predict("columns", inputs);
    expect(status).toBe(422);
    expect(errors[0]).toEqual({ path, message });
  });

  test("a regression takes no parameters", async () => {
    expect((await predict("columns", tall, { top_k: 1 })).status).toBe(422);
  });

  test("a graph that takes one row at a time answers batches, and names every bad row", async () => {
    const rows = [{ a: 1, b: 0 }, { a: 0, b: 3 }, [2, 1]];
    const { outputs } = await predict("one-row", rows);
    expect((outputs as { label: string }[]).map(({ label }) => label)).toEqual(["a", "b", "a"]);
    for (const [index, row] of rows.entries())
      expect((await predict("one-row", row)).outputs).toEqual((outputs as unknown[])[index]);
    const { errors } = await predict("one-row", [{ a: 1 }, { a: 1, b: 1 }, { b: 1 }]);
    expect(errors.map(({ path }) => path)).toEqual(["inputs[0].b", "inputs[2].a"]);
  });
});
