import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { checkedScores } from "../../cli/add/check-scores.ts";
import { draftFromFile } from "../../cli/add/from-file.ts";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { verifyPackage } from "../../cli/verify.ts";
import type { TensorInfo } from "../../functions/platform/onnx/graph.ts";
import { readOnnx, stringAttribute, writeOnnx } from "../../functions/platform/onnx/model.ts";
import { add, CASES, FIXTURES, type LibraryCase } from "../tasks/library-models.ts";
import { fixture, nearcast, succeed, temporaryFolder } from "./nearcast.ts";

// What `add` and `verify` say about labels and scores that do not fit together.
let models = "";
const log = vi.spyOn(console, "log").mockReturnValue();
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "nearcast-classifiers-"));
});
afterAll(() => rm(models, { recursive: true, force: true }));

function library(name: string): LibraryCase {
  const found = CASES.find((one) => one.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

describe("add", () => {
  test.for([
    ["logistic-multi", ["--labels", "virginica,versicolor,setosa"], "the graph says setosa, versi"],
    ["logistic-multi", ["--labels", "a,b"], "--labels says a, b"],
    ["logistic-from-one", ["--labels", "0,1,2"], "the graph says 1, 2, 3"],
    ["logistic-from-one", ["--labels", "a,b"], "Name 3 labels"],
    ["logistic-from-one", ["--labels", "a,b,b"], "the name b twice"],
    ["logistic-multi", ["--scores", "softmax"], "holds probabilities already"],
    ["isolation-forest", ["--labels", "out,in"], "--labels=-1,1"],
    ["isolation-forest", ["--labels", "0,1"], 'says "-1"'],
    ["isolation-forest", ["--labels=1,-1"], "do not go with the labels"],
    ["one-vs-rest-multilabel", ["--labels", "a,b,c"], "Name 4 labels"],
  ] as const)("refuses %s with %j", async ([name, args, reason]) => {
    await expect(add(library(name), models, args)).rejects.toThrow(reason);
  });

  test("takes names for the numbers of a graph", async () => {
    const folder = await temporaryFolder();
    await add(library("logistic-from-one"), folder, ["--labels", "a,b,c"]);
    const { manifest } = await openPackage(folder, { name: "logistic-from-one" });
    expect(manifest).toMatchObject({ labels: ["a", "b", "c"], label: { values: [1, 2, 3] } });
  });

  test("asks what logits without a label are", async () => {
    const args = ["--name", "it", "--models", models, "--features", "a,b,c", "--labels", "no,yes"];
    const { stderr } = await nearcast(["add", fixture("line-1.onnx"), ...args]);
    expect(stderr).toContain("value holds numbers of any size");
    expect(stderr).toContain("--scores");
  });

  test("says what it changed in the graph", async () => {
    log.mockClear();
    await add(library("tfidf-zipmap"), await temporaryFolder());
    const said = log.mock.calls.flat().join("\n");
    expect(said).toContain("the locale C.UTF-8, which every machine has, and no longer by en_US");
    expect(said).toContain("Its ZipMap was cut off");
    expect(said).toContain("scikit-learn's default token_pattern");
  });

  test("answers for texts that are nothing but a stop word of the graph", async () => {
    const folder = await temporaryFolder();
    const model = readOnnx(await readFile(join(FIXTURES, "tfidf-logistic.onnx")));
    const normalizer = model.graph?.node.find(({ opType }) => opType === "StringNormalizer");
    normalizer?.attribute.push(stopWords("the", "of"));
    const path = join(folder, "stop-words.onnx");
    await writeFile(path, writeOnnx(model));
    const said = await succeed(["add", path, "--name", "it", "--models", folder]);
    expect(said).toContain("Its StringNormalizer has no stop words any more");
    const predictor = await openPredictor(await openPackage(folder, { name: "it" }), "native");
    const texts = ["great fun", "the", "dull"];
    const answers = await predictor.predict(texts);
    expect(answers).toEqual(await Promise.all(texts.map((text) => predictor.predict(text))));
  });

  test("refuses a locale whose rules only some machines have", async () => {
    const folder = await temporaryFolder();
    const model = readOnnx(await readFile(join(FIXTURES, "tfidf-logistic.onnx")));
    const normalizer = model.graph?.node.find(({ opType }) => opType === "StringNormalizer");
    normalizer?.attribute.push(stringAttribute("locale", new TextEncoder().encode("tr_TR")));
    const path = join(folder, "turkish.onnx");
    await writeFile(path, writeOnnx(model));
    const { stderr } = await nearcast(["add", path, "--name", "it", "--models", folder]);
    expect(stderr).toContain("by the locale tr_TR");
  });
});

describe("two probabilities for each label", () => {
  const { features = [], labels = [] } = library("forest-multilabel");
  const stacked = join(FIXTURES, "forest-multilabel.onnx");

  test("are no values of a regression", async () => {
    const task = "tabular-regression";
    await expect(draftFromFile(stacked, { task, features, labels })).rejects.toThrow(
      "one output with 4 numbers a row",
    );
  });

  test("are none where the graph says no labels", async () => {
    const model = readOnnx(await readFile(stacked));
    model.graph?.output.shift();
    const path = join(await temporaryFolder(), "bounds.onnx");
    await writeFile(path, writeOnnx(model));
    const told = { features, labels, scores: "probabilities" } as const;
    await expect(draftFromFile(path, told)).rejects.toThrow("one output with 4 numbers a row");
  });
});

describe("independent labels and their probabilities", () => {
  const scores = { output: outputOf("scores"), meaning: { activation: "none" } } as const;
  const label = outputOf("label");
  const answered = (said: number[], numbers: number[]) => ({
    ...scores,
    label,
    labels: ["a", "b"],
    values: undefined,
    tensors: {
      label: { datatype: "INT64", shape: [2, 2], data: BigInt64Array.from(said, BigInt) },
      scores: { datatype: "FP32", shape: [2, 2], data: Float32Array.from(numbers) },
    } as const,
  });

  test("may have a threshold of their own", () => {
    const found = checkedScores(answered([1, 0, 1, 1], [0.4, 0.1, 0.9, 0.35]));
    expect(found).toEqual({ output: "scores", activation: "none" });
  });

  test("are refused where each is the opposite, with what is known to write such a graph", () => {
    const given = answered([1, 0, 0, 1], [0.4, 0.9, 0.8, 0.1]);
    expect(() => checkedScores(given)).toThrow(/no threshold.*skl2onnx.*DecisionTreeClassifier/);
  });
});

function outputOf(name: string): TensorInfo {
  return { name, datatype: name === "label" ? "INT64" : "FP32", shape: [-1, 2] };
}

describe("verify", () => {
  test("refuses labels in another order than the graph's", async () => {
    const labels = ["virginica", "versicolor", "setosa"];
    await expect(
      changed("logistic-multi", (manifest) => (manifest["labels"] = labels)),
    ).rejects.toThrow("the graph says setosa, versicolor, virginica, its manifest virginica");
  });

  test("refuses a manifest that does not name the graph's own label", async () => {
    await expect(changed("svc-binary", (manifest) => delete manifest["label"])).rejects.toThrow(
      "says the label itself, in its output label",
    );
  });

  test("refuses an example with a label that is none of the manifest's", async () => {
    const examples = [{ input: [1, 2, 3, 4], output: { label: "rose" } }];
    await expect(
      changed("logistic-multi", (manifest) => (manifest["examples"] = examples)),
    ).rejects.toThrow('Example 0 of logistic-multi@1 says "rose"');
  });
});

/** As skl2onnx wrote them where scikit-learn kept `stop_words_`, before 1.7. */
function stopWords(...words: string[]) {
  const strings = words.map((word) => new TextEncoder().encode(word));
  const made = stringAttribute("stopwords", new Uint8Array());
  // AttributeProto.AttributeType of strings.
  return Object.assign(made, { strings, type: 8 });
}

/** A version whose manifest was changed by `change`. */
async function changed(
  name: string,
  change: (manifest: Record<string, unknown>) => void,
): Promise<unknown> {
  const folder = await temporaryFolder();
  await add(library(name), folder);
  const path = join(folder, name, "1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
  const local = await openPackage(folder, { name });
  return verifyPackage(local, { runtimes: ["native"], tolerance: 1e-4, record: true });
}
