import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nearcast, root, succeed, temporaryFolder } from "./nearcast.ts";

const IRIS = join(root, "models/iris/1/model.onnx");
const FEATURES = ["--features", "sepal_length,sepal_width,petal_length,petal_width"];
const LABELS = ["--labels", "setosa,versicolor,virginica"];
const SETOSA = [5.1, 3.5, 1.4, 0.2];

async function file(content: unknown): Promise<string> {
  const path = join(await temporaryFolder(), "file");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

async function addIris(...args: string[]) {
  const models = await temporaryFolder();
  return {
    models,
    outcome: await nearcast([
      "add",
      IRIS,
      "--name",
      "it",
      "--models",
      models,
      ...FEATURES,
      ...args,
    ]),
  };
}

test("an answer that was seen in training is recorded, and the request with it is printed", async () => {
  const example = await file({
    input: SETOSA,
    output: { label: "setosa", scores: { setosa: 1 } },
  });
  const { models, outcome } = await addIris(...LABELS, "--example", example);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  expect(outcome.stdout).toContain("/v1/models/it/predict");
  expect(outcome.stdout).toContain(`-d '{"inputs": [5.1, 3.5, 1.4, 0.2]}'`);
  const manifest = JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8")) as {
    examples: unknown[];
  };
  expect(manifest.examples).toMatchObject([{ input: SETOSA, output: { label: "setosa" } }]);
  await succeed(["verify", "it", "--models", models]);
});

test.each([
  [{ input: SETOSA, output: "virginica" }, 'otherwise than you saw: output is "setosa"'],
  [{ input: SETOSA, output: { score: 0.5 } }, "output.score is 0.9"],
  [{ input: SETOSA, output: { name: "setosa" } }, "output has another form"],
  ['{"input": [1], "output": "setosa"}', "Example 1: "],
  ['{"input": [1]}', "example 1: it must be"],
  ["not json", "example 1: it must be"],
  ["", "has no example"],
])("an example %j that the model does not answer so adds nothing", async (content, message) => {
  const { models, outcome } = await addIris(...LABELS, "--example", await file(content));
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain(message);
  await expect(readFile(join(models, "it/1/model.json"))).rejects.toThrow("ENOENT");
});

test.each([
  ["red\ngreen\nblue\n"],
  [["red", "green", "blue"]],
  [{ "0": "red", "2": "blue", "1": "green" }],
  [{ id2label: { "0": "red", "1": "green", "2": "blue" } }],
])("labels come from a file: %j", async (content) => {
  const models = await temporaryFolder();
  const graph = join(root, "test/cli/fixtures/probabilities.onnx");
  const labels = await file(content);
  await succeed([
    "add",
    graph,
    "--name",
    "it",
    "--models",
    models,
    "--features",
    "a,b",
    "--labels-from",
    labels,
  ]);
  const manifest = JSON.parse(await readFile(join(models, "it/1/model.json"), "utf8")) as object;
  expect(manifest).toMatchObject({ labels: ["red", "green", "blue"] });
});

test.each([
  [{ labels: 3 }, "has no labels"],
  [{ "0": "red", "2": "blue" }, "none with the number 1"],
  ["red\n\nblue", "line 2 has no label"],
])("a file %j of labels is refused", async (content, message) => {
  const { outcome } = await addIris("--labels-from", await file(content));
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain(message);
});
