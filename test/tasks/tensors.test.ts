import { describe, expect, test } from "vitest";
import { emptyStore, fixture, openService, RUNTIMES, writePackage } from "./service.ts";

const one = {
  a: [[1, 2]],
  b: [[0.5, 0.5]],
  ids: ["9223372036854775807"],
  text: ["Ünï 👍"],
  flags: [[true]],
};
const answer = {
  sum: [[1.5, 2.5]],
  same_ids: ["9223372036854775807"],
  same_text: ["Ünï 👍"],
  not_flags: [[false]],
};
const store = await emptyStore();
await writePackage(store, {
  artifact: await fixture("graphs/tensors.onnx"),
  manifest: {
    name: "tensors",
    task: "tensor",
    inputs: [
      { name: "a", datatype: "FP32", shape: [-1, 2] },
      { name: "b", datatype: "FP32", shape: [-1, 2] },
      { name: "ids", datatype: "INT64", shape: [-1] },
      { name: "text", datatype: "BYTES", shape: [-1] },
      { name: "flags", datatype: "BOOL", shape: [-1, 1] },
    ],
    outputs: [
      { name: "sum", datatype: "FP32", shape: [-1, 2] },
      { name: "same_ids", datatype: "INT64", shape: [-1] },
      { name: "same_text", datatype: "BYTES", shape: [-1] },
      { name: "not_flags", datatype: "BOOL", shape: [-1, 1] },
    ],
  },
});

const wrongShape = (wanted: string, had: string) => `must have shape ${wanted}, has ${had}`;

describe.each(RUNTIMES)("tensors on %s", (runtime) => {
  const { predict } = openService(store, runtime);

  test("every datatype goes in and comes out, 64-bit integers exactly", async () => {
    expect((await predict("tensors", one)).outputs).toEqual(answer);
    const ids = [0, -5, 9_007_199_254_740_991, "9007199254740993", "-9223372036854775808"];
    const { outputs } = await predict("tensors", { ...one, ids });
    expect((outputs as typeof answer).same_ids).toEqual(ids);
  });

  test("a tensor may come with its shape and flat data", async () => {
    const described = {
      ...one,
      a: { datatype: "FP32", shape: [2, 2], data: [1, 2, 3, 4] },
      b: { shape: [2, 2], data: [1, 1, 1, 1] },
    };
    const { outputs } = await predict("tensors", described);
    expect((outputs as typeof answer).sum).toEqual([
      [2, 3],
      [4, 5],
    ]);
  });

  test("inputs of different shapes share a request", async () => {
    const longer = { ...one, ids: [1, 2, 3] };
    const { outputs } = await predict("tensors", [one, longer]);
    expect(outputs).toEqual([answer, { ...answer, same_ids: [1, 2, 3] }]);
  });

  test("what only the graph can refuse is the client's to correct, and the next answer is right", async () => {
    const three = {
      ...one,
      a: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      b: [
        [1, 2],
        [3, 4],
      ],
    };
    const { status, code, errors } = await predict("tensors", three);
    expect([status, code]).toEqual([422, "invalid_input"]);
    expect(errors[0]?.message).toMatch(/^were refused by the model: (?:Add: )?[A-Z]/);
    expect(errors[0]?.message).not.toMatch(/\.(?:cc|h):\d|::|ERROR_CODE/);
    expect((await predict("tensors", one)).outputs).toEqual(answer);
  });

  test.each([
    [{ ...one, a: undefined }, "inputs.a", "is missing"],
    [{ ...one, c: 1 }, "inputs.c", "is not an input of this model"],
    [5, "inputs", "must be an object of tensors: a, b, ids, text, flags"],
    [[one, [1]], "inputs[1]", "must be an object of tensors: a, b, ids, text, flags"],
    [{ ...one, a: [[1, 2, 3]] }, "inputs.a", wrongShape("[-1, 2]", "[1, 3]")],
    [{ ...one, a: [1, 2] }, "inputs.a", wrongShape("[-1, 2]", "[2]")],
    [{ ...one, a: [[[1, 2]]] }, "inputs.a", wrongShape("[-1, 2]", "[1, 1, 2]")],
    [{ ...one, a: 5 }, "inputs.a", wrongShape("[-1, 2]", "[]")],
    [{ ...one, a: [[1, 2], [3]] }, "inputs.a[1]", "must be an array of 2, as the first one is"],
    [{ ...one, a: [[1, 2], 3] }, "inputs.a[1]", "must be an array of 2, as the first one is"],
    [{ ...one, a: [[1, "2"]] }, "inputs.a[0][1]", "must be a number that FP32 can hold"],
    [{ ...one, a: [[1, 1e300]] }, "inputs.a[0][1]", "must be a number that FP32 can hold"],
    [
      { ...one, ids: [2 ** 53] },
      "inputs.ids[0]",
      "must be an integer, as a decimal string where a number is not exact",
    ],
    [
      { ...one, ids: ["9223372036854775808"] },
      "inputs.ids[0]",
      "must be from -9223372036854775808 to 9223372036854775807 (INT64)",
    ],
    [{ ...one, text: [5] }, "inputs.text[0]", "must be a string"],
    [{ ...one, text: ["\0"] }, "inputs.text[0]", "must not contain a NUL character"],
    [{ ...one, text: ["\ud800"] }, "inputs.text[0]", "must be well-formed Unicode"],
    [{ ...one, flags: [[2]] }, "inputs.flags[0][0]", "must be true or false"],
    [{ ...one, a: { shape: [1, 2], data: [1] } }, "inputs.a.data", "must have 2 elements, has 1"],
    [
      { ...one, a: { shape: [1, 2], data: "x" } },
      "inputs.a.data",
      "must be an array of elements in row-major order",
    ],
    [
      { ...one, a: { shape: [1e15, 2], data: [1] } },
      "inputs.a.data",
      "must have 2000000000000000 elements, has 1",
    ],
    [{ ...one, a: { shape: "1,2", data: [1] } }, "inputs.a.shape", "must be an array of sizes"],
    [
      { ...one, a: { datatype: "FP64", shape: [1, 2], data: [1, 2] } },
      "inputs.a.datatype",
      "must be FP32",
    ],
    [
      { ...one, a: { shape: [1, 2], data: [1, 2], x: 1 } },
      "inputs.a.x",
      "is not datatype, shape or data",
    ],
  ])("refuses %j", async (inputs, path, message) => {
    const { status, errors } = await predict("tensors", inputs);
    expect(status).toBe(422);
    expect(errors[0]).toEqual({ path, message });
  });

  test("a ragged array that promises a huge tensor costs no more than it has", async () => {
    const wide = Array.from({ length: 100_000 }, () => 1);
    const ragged = { ...one, ids: [wide, ...wide] };
    expect((await predict("tensors", ragged)).status).toBe(422);
    const deep = JSON.parse(`${"[".repeat(50)}${"]".repeat(50)}`) as unknown;
    expect((await predict("tensors", { ...one, a: deep })).status).toBe(422);
  });
});
