import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { allowanceOf } from "../../cli/convert/allowance.ts";
import { codeOf, sourceKind } from "../../cli/convert/file-kind.ts";
import { compareTensors } from "../../cli/convert/compare-tensors.ts";
import { networkInputs } from "../../cli/convert/network.ts";
import { differenceOf } from "../../cli/convert/differences.ts";
import { readOnnx, writeOnnx } from "../../functions/platform/onnx/model.ts";
import { viewOf } from "../../functions/platform/onnx/view.ts";
import { fixture, nearcast, temporaryFolder } from "./nearcast.ts";

const PICKLE = Buffer.from("80049501000000000000004e2e", "hex");

describe("what a file is, by its first bytes", () => {
  test.each([
    ["a pickle", PICKLE],
    ["a pickle of protocol 0", Buffer.from("csklearn.svm\nSVC\n(tR.")],
    ["a joblib file with zlib", deflateSync(PICKLE)],
    ["a joblib file with gzip", gzipSync(PICKLE)],
  ])("%s may run code", async (_, bytes) => {
    const path = join(await temporaryFolder(), "model.joblib");
    await writeFile(path, bytes);
    expect(await sourceKind(path)).toBe("pickle");
  });

  test.each([
    ["model.onnx", Buffer.from([8, 9]), "nearcast add"],
    ["model.pt", Buffer.from("PK\u0003\u0004model/data.pkl"), "--module package.module:Name"],
    ["model.h5", Buffer.from("89484446", "hex"), "model.save("],
    ["model.txt", Buffer.from("hello"), "no model that convert knows"],
  ])("%s is refused, with what to do", async (name, bytes, advice) => {
    const path = join(await temporaryFolder(), name);
    await writeFile(path, bytes);
    await expect(sourceKind(path)).rejects.toThrow(advice);
  });

  test("a zip by the name of Keras, and a folder with saved_model.pb", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "model.keras");
    await writeFile(path, "PK\u0003\u0004metadata.json");
    expect(await sourceKind(path)).toBe("keras");
    await writeFile(join(folder, "saved_model.pb"), "");
    expect(await sourceKind(folder)).toBe("saved-model");
  });

  test("a program of torch.export may run code", async () => {
    const path = join(await temporaryFolder(), "model.pt2");
    await writeFile(path, "PK\u0003\u0004model/data/weights/weight_0");
    expect(await sourceKind(path)).toBe("torch");
  });

  test.each([
    [["config.json", "model.safetensors"], undefined],
    [["config.json", "model-00001-of-00002.safetensors"], undefined],
    [["config.json", "pytorch_model.bin"], "pytorch_model.bin is a pickle"],
  ])("a folder of Hugging Face, with %j", async (names, code) => {
    const folder = await temporaryFolder();
    for (const name of names) await writeFile(join(folder, name), "{}");
    expect(await sourceKind(folder)).toBe("hugging-face");
    const found = await codeOf(folder);
    if (code === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(code);
  });

  test("a folder of Hugging Face may name code of its own", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "model.safetensors"), "");
    await writeFile(join(folder, "config.json"), '{"auto_map": {"AutoModel": "own.Model"}}');
    expect(await codeOf(folder)).toContain("config.json names code of its own");
  });

  test.each([
    ["model.onnx", "nearcast add"],
    ["readme.md", "without a model that convert knows"],
  ])("a folder with %s is refused, with what to do", async (name, advice) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, name), "");
    await expect(sourceKind(folder)).rejects.toThrow(advice);
  });
});

test.each([
  [["--target", "y"], "--target names a column of --data"],
  [["--bounds"], "--bounds takes the bounds from --data"],
  [["--version", "a/b"], "cannot name a version"],
  [["--scores", "softmax"], "--scores is for a network"],
  [["--labels-from", "x"], "--labels-from is for a network"],
  [["--inputs", "4"], "--inputs is for a network"],
  [["--signature", "serve"], "--signature is for a network"],
  [["--mean", "0.5"], "--mean is for a network"],
  [["--std", "0.5"], "--std is for a network"],
  [["--resize", "64"], "--resize is for a network"],
  [["--pad", "0,0,0"], "--pad is for a network"],
  [["--scale", "1"], "--scale is for a network"],
  [["--bgr"], "--bgr is for a network"],
  [["--module", "net:Net", "--signature", "a"], "--signature names one of a SavedModel"],
  [["--module", "net:Net"], "Loading net:Net runs code"],
  [["--module", "net.Net", "--trust"], "--module is package.module:name"],
  [["--module", "net:Net", "--trust", "--data", "x.csv"], "--data and --target are for tables"],
  [[], "say --trust"],
])("convert %j is refused before anything is loaded or installed", async (flags, reason) => {
  const folder = await temporaryFolder();
  const path = join(folder, "model.joblib");
  await writeFile(path, PICKLE);
  const models = join(folder, "models");
  const args = ["convert", path, "--name", "it", "--models", models, ...flags];
  const { code, stderr } = await nearcast(args);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(reason) });
  expect(await readdir(folder)).toEqual(["model.joblib"]);
});

test.each(["model.keras", "saved"])("pictures of %s are scaled as it is said", async (name) => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "saved"));
  await writeFile(join(folder, "saved", "saved_model.pb"), "");
  await writeFile(join(folder, "model.keras"), "PK\u0003\u0004metadata.json");
  const path = join(folder, name);
  const { code, stderr } = await nearcast(["convert", path, "--name", "it", "--image", "16x16"]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("needs --scale") });
});

describe("an answer beside the original's", () => {
  const scale = { areProbabilities: true, spread: 0.3 };

  test.each([
    ["the same", two(0.7), answer(0.70001), undefined],
    ["another label", two(0.7), answer(0.7, "b"), "the label is b, not a"],
    ["another probability", two(0.7), answer(0.71), "a is 0.71, not 0.7"],
    ["no number", two(0.7), answer(NaN), "a is NaN, not 0.7"],
    ["a missing label", two(0.7), { label: "a", scores: { a: 0.7 } }, "there is no b"],
    ["no scores where the original has some", two(0.7), { label: "a" }, "there is no a"],
  ])("%s", (_, expected, given, mismatch) => {
    expect(differenceOf(expected, given, scale).mismatch).toBe(mismatch);
  });

  test("of two labels that are alike either may be said, and is counted", () => {
    expect(differenceOf(two(0.50001), answer(0.5, "b"), scale)).toMatchObject({ isTie: true });
    expect(differenceOf(two(0.51), answer(0.51, "b"), scale).isTie).toBeUndefined();
  });

  test("a number is judged by its size or by the spread of all, so that small ones count", () => {
    const tiny = { areProbabilities: false, spread: 1e-6 };
    expect(differenceOf({ value: 2e-6 }, { value: 2.001e-6 }, tiny).mismatch).toBeDefined();
    const large = { areProbabilities: false, spread: 1000 };
    expect(differenceOf({ value: 0 }, { value: 0.05 }, large).mismatch).toBeUndefined();
    expect(differenceOf({ value: 0 }, { value: 0.2 }, large).mismatch).toBeDefined();
  });
});

test("inputs of a network are a file, or shapes", () => {
  expect(networkInputs("3x224x224,7")).toEqual({ shapes: [[3, 224, 224], [7]] });
  expect(networkInputs("/rows.npz")).toEqual({ file: "/rows.npz" });
  expect(() => networkInputs("rows.csv")).toThrow("no shape of one input");
  expect(() => networkInputs("0x2")).toThrow("no shape of one input");
});

describe("a graph beside its original", () => {
  test("answers alike on native and WASM", async () => {
    const graph = fixture("line-1.onnx");
    const found = await compareTensors(graph, sums(6, 15), await temporaryFolder());
    expect(found).toEqual({ rows: 2, largest: 0 });
  });

  test("answers otherwise: which inputs, and by how much", async () => {
    const folder = await temporaryFolder();
    const asked = compareTensors(fixture("line-1.onnx"), sums(6, 15.5), folder);
    await expect(asked).rejects.toThrow(
      "2 numbers of 1 inputs differ, so nothing was written. Input 1 on native, value[1, 0] is 15, not 15.5. Input 1 on WASM",
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    [[1, 1], [6]],
    [[2], [6, 15]],
    [
      [1, 2],
      [6, 15],
    ],
  ])("gives another shape than %j of the original", async (shape, values) => {
    const cases = sums(6, 15).map((one) => ({
      ...one,
      outputs: { value: floats(shape, values) },
    }));
    const asked = compareTensors(fixture("line-1.onnx"), cases, await temporaryFolder());
    await expect(asked).rejects.toThrow(`value has the shape [2, 1], not [${shape.join(", ")}]`);
  });
});

describe("what a number may differ by", () => {
  const rows = Array.from({ length: 20 }, (_, row) => row);

  test("is of its own column: boxes do not hide a wrong probability", () => {
    const values = rows.flatMap((row) => [...box(row), score(row)]);
    const allowed = allowanceOf([{ shape: [4, 5, 5], values }]);
    expect(allowed(0.2, [0, 0, 4])).toBeLessThan(1e-4);
    expect(allowed(0, [0, 0, 0])).toBeGreaterThan(1e-2);
  });

  test("is of its own row, where a graph has channels first", () => {
    const channels = [0, 1, 2, 3].map((at) => rows.map((row) => box(row)[at] ?? 0));
    const values = [...channels, rows.map(score)].flat();
    const allowed = allowanceOf([{ shape: [1, 5, 20], values }]);
    expect(allowed(0.2, [0, 4, 0])).toBeLessThan(1e-4);
    expect(allowed(0, [0, 0, 0])).toBeGreaterThan(1e-2);
  });

  test("is not widened by masks, and they are judged by their size", () => {
    const values = rows.flatMap((row) => [score(row), row % 3 ? -1e9 : -score(row)]);
    const allowed = allowanceOf([{ shape: [20, 2], values }]);
    expect(allowed(0, [0, 1])).toBeLessThan(1e-4);
    expect(allowed(-1e9, [0, 1])).toBe(1e5);
  });

  test("is of all numbers where there are few of a kind", () => {
    const allowed = allowanceOf([{ shape: [2, 10], values: rows.map(score) }]);
    expect(allowed(0, [0, 0])).toBeGreaterThan(1e-5);
  });
});

function box(row: number): number[] {
  return [row * 32, row * 16, 640 - row * 7, 300 + row * 3];
}

function score(row: number): number {
  return (row % 5) / 5;
}

function sums(...found: number[]) {
  return [
    {
      inputs: { row: floats([2, 3], [1, 2, 3, 4, 5, 6]) },
      outputs: { value: floats([2, 1], found) },
    },
  ];
}

function floats(shape: number[], values: number[]) {
  const data = Buffer.from(Float32Array.from(values).buffer).toString("base64");
  return { datatype: "FP32" as const, shape, data };
}

test("constants of a graph are read from a part of a file's bytes", async () => {
  const model = readOnnx(await readFile(fixture("line-1.onnx")));
  const doubles = Buffer.from(Float64Array.of(1.5, -2).buffer);
  const [first] = model.graph?.initializer ?? [];
  if (!model.graph || !first) throw new Error("the fixture has a constant");
  model.graph.initializer.push({
    ...first,
    name: "doubles",
    dims: [2n],
    dataType: 11,
    rawData: doubles,
    floatData: [],
  });
  const { graph } = readOnnx(Buffer.from(writeOnnx(model)));
  expect(graph && viewOf(graph).constantOf("doubles")).toEqual({ numbers: [1.5, -2] });
});

function two(a: number, label = "a") {
  return { label, numbers: { a, b: 1 - a } };
}

function answer(a: number, label = "a") {
  return { label, score: a, scores: { a, b: 1 - a } };
}
