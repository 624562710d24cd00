import { InferenceClient } from "@huggingface/inference";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nearcast } from "../cli/nearcast.ts";
import { addExport } from "../hugging-face/export-folder.ts";
import { expectRecorded, recordedRows } from "../tasks/recorded-tasks.ts";
import { expectSchema } from "../hugging-face/specifications.ts";
import { post } from "./platforms.ts";

interface Served {
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  stop: () => Promise<void>;
}

const ORIGIN = "http://nearcast.test";
const TEXTS = ["I love it", "Do not waste your money", ""];
const DIGIT = join(import.meta.dirname, "../../models/digits/1/model.json");
const EXPORTS = [
  ["ner-bert", "token-classification"],
  ["nli-bert", "zero-shot-classification"],
  ["qa-bert", "question-answering"],
  ["mask-bert", "fill-mask"],
  ["rank-bert", "text-ranking"],
  ["similar-bert", "sentence-similarity"],
  ["splade-bert", undefined],
] as const;

async function modelsOfTasks(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-inference-"));
  for (const [model, task] of EXPORTS) await addExport(folder, model, task);
  for (const model of ["search", "sentiment", "digits", "iris", "diabetes", "retail"])
    await cp(join("models", model), join(folder, model), { recursive: true });
  const targets = ["--features", "weight,speed,heat", "--labels", "cost,delay"];
  await addTable(folder, "targets", "two-targets-linear", [
    "--task",
    "tabular-regression",
    ...targets,
  ]);
  const topics = ["--features", "f0,f1,f2,f3,f4,f5", "--labels", "a,b,c,d"];
  await addTable(folder, "topics", "one-vs-rest-multilabel", topics);
  return folder;
}

async function addTable(
  models: string,
  name: string,
  file: string,
  flags: string[],
): Promise<void> {
  const path = join("test/fixtures/tables", `${file}.onnx`);
  const added = await nearcast(["add", path, "--name", name, "--models", models, ...flags]);
  expect(added).toMatchObject({ code: 0 });
  await writeFile(join(models, name, "release.json"), '{"stable":"1"}');
}

const client = new InferenceClient();
/** The client asks the address of a model; `options.fetch` brings it to the server under test. */
const at = (model: string, path = "") => ({ endpointUrl: `${ORIGIN}/models/${model}${path}` });

/** Asks as Hugging Face's own client does, and compares with the native answers. */
export function answersInference(start: (models: string) => Promise<Served>): void {
  let models: string;
  let served: Served;
  const options = {
    retry_on_error: false,
    fetch: (async (url: string, init?: RequestInit) =>
      served.fetch(url.slice(ORIGIN.length), init)) as typeof fetch,
  };
  const native = async (model: string, inputs: unknown, parameters = {}) => {
    const path = `/v1/models/${model}/predict`;
    return (await post(served, path, { inputs, parameters })).body["outputs"];
  };
  const plain = async (model: string, body: unknown) =>
    (await post(served, `/models/${model}`, body)).body as unknown;

  beforeAll(async () => {
    models = await modelsOfTasks();
    served = await start(models);
  });
  afterAll(async () => {
    await served?.stop();
    if (models) await rm(models, { recursive: true });
  });

  test("text-classification: all labels of a text, best first", async () => {
    const [inputs = ""] = TEXTS;
    const answer = await client.textClassification({ ...at("sentiment"), inputs }, options);
    const { scores } = (await native("sentiment", inputs)) as { scores: Record<string, number> };
    expect(Object.fromEntries(answer.map(({ label, score }) => [label, score]))).toEqual(scores);
    expect(answer[0]?.label).toBe("positive");
    const best = { ...at("sentiment"), inputs, parameters: { top_k: 1 } };
    expect(await client.textClassification(best, options)).toEqual(answer.slice(0, 1));
    const own = { ...at("sentiment"), inputs, parameters: { function_to_apply: "none" as const } };
    expect(await client.textClassification(own, options)).toEqual(answer);
    expect(await plain("sentiment", { inputs: TEXTS })).toHaveLength(TEXTS.length);
  });

  test("token-classification has what pipeline() gives", async () => {
    const rows = (await recordedRows("ner-bert")).filter(
      ({ inputs, parameters }) =>
        typeof inputs === "string" && parameters["aggregation_strategy"] !== "none",
    );
    const some = rows.slice(0, 10);
    const answers = await Promise.all(
      some.map(({ inputs, parameters }) =>
        client.tokenClassification(
          { ...at("ner-bert"), inputs: inputs as string, parameters },
          options,
        ),
      ),
    );
    expectRecorded(answers, some);
    for (const answer of answers) expectSchema("token-classification", answer);
  });

  test("zero-shot-classification by the labels of the request", async () => {
    const inputs = "The battery is empty.";
    const parameters = { candidate_labels: ["a complaint", "praise"], multi_label: true };
    const answer = await client.zeroShotClassification(
      { ...at("nli-bert"), inputs, parameters },
      options,
    );
    expect(answer).toEqual(await native("nli-bert", inputs, parameters));
    expectSchema("zero-shot-classification", answer);
  });

  test("question-answering: one object, and several with top_k", async () => {
    const inputs = { question: "Who lives in London?", context: "Ada lives in London." };
    const answer = await client.questionAnswering({ ...at("qa-bert"), inputs }, options);
    expect([answer]).toEqual(await native("qa-bert", inputs));
    const several = await plain("qa-bert", { inputs, parameters: { top_k: 3 } });
    expect(several).toEqual(await native("qa-bert", inputs, { top_k: 3 }));
    expect(several).toHaveLength(3);
    expectSchema("question-answering", several);
  });

  test("fill-mask", async () => {
    const inputs = "This is the first [MASK].";
    const answer = await client.fillMask({ ...at("mask-bert"), inputs }, options);
    expect(answer).toEqual(await native("mask-bert", inputs));
    expectSchema("fill-mask", answer);
  });

  test("text-ranking", async () => {
    const inputs = { query: "a lamp", texts: TEXTS };
    const answer = await plain("rank-bert", { inputs });
    expect(answer).toEqual(await native("rank-bert", inputs));
  });

  test("feature-extraction: parameters beside the inputs, at either address", async () => {
    const inputs = TEXTS.slice(0, 2);
    const vectors = await native("search", inputs);
    for (const path of ["", "/pipeline/feature-extraction"]) {
      const asked = { ...at("search", path), inputs, normalize: true, truncate: true };
      expect(await client.featureExtraction(asked, options)).toEqual(vectors);
    }
    expect(await plain("search", { inputs: inputs[0] })).toEqual([(vectors as unknown[])[0]]);
    const short = (await plain("search", { inputs, dimensions: 16 })) as number[][];
    for (const vector of short) {
      expect(vector).toHaveLength(16);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    }
  });

  test.each([
    ["search", ""],
    ["search", "/pipeline/sentence-similarity"],
    ["similar-bert", ""],
  ])("sentence-similarity by %s%s", async (model, path) => {
    const inputs = { source_sentence: "great phone", sentences: ["great phone", "bread"] };
    const answer = await client.sentenceSimilarity({ ...at(model, path), inputs }, options);
    expect(answer).toHaveLength(2);
    expect(answer[0]).toBeCloseTo(1, 5);
    expect(answer[1]).toBeLessThan(0.99);
  });

  test("image-classification: bytes, with a type or without, and base64 with parameters", async () => {
    const { examples } = JSON.parse(await readFile(DIGIT, "utf8")) as {
      examples: { input: string }[];
    };
    const base64 = examples[0]?.input ?? "";
    const bytes = Buffer.from(base64, "base64");
    const { label } = (await native("digits", base64)) as { label: string };
    for (const type of ["image/png", ""]) {
      const data = new Blob([bytes], { type });
      const answer = await client.imageClassification({ ...at("digits"), data }, options);
      expect(answer).toHaveLength(10);
      expect(answer[0]?.label).toBe(label);
    }
    const two = await plain("digits", { inputs: base64, parameters: { top_k: 2 } });
    expect(two).toMatchObject([{ label }, {}]);
    expect(two).toHaveLength(2);
  });

  test("tabular-regression and -classification: columns, with numbers as strings", async () => {
    const columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
    const rows = [
      ["5.1", "3.5", "1.4", "0.2"],
      ["6.3", "3.3", "6", "2.5"],
    ];
    const table = Object.fromEntries(columns.map((name, at) => [name, rows.map((row) => row[at])]));
    expect(await plain("iris", { table })).toEqual(["setosa", "virginica"]);
    expect(await plain("iris", { inputs: { data: table } })).toEqual(["setosa", "virginica"]);
    const { body } = await served
      .fetch("/v1/models/diabetes")
      .then(async (answer) => ({ body: (await answer.json()) as { examples: Example[] } }));
    const [{ input, output } = { input: {}, output: { value: 0 } }] = body.examples;
    const data = Object.fromEntries(
      Object.entries(input).map(([name, value]) => [name, [String(value)]]),
    );
    const answer = await client.tabularRegression({ ...at("diabetes"), inputs: { data } }, options);
    expect(answer).toEqual([expect.closeTo(output.value, 2)]);
  });

  test("tables with several targets, or independent labels: an array for each row", async () => {
    const [weight, speed, heat] = [1.347476125, -0.024584979, -1.47599113];
    const targets = await plain("targets", {
      table: { weight: [weight], speed: [speed], heat: [heat] },
    });
    // As scikit-learn's predict has them.
    expect(targets).toEqual([[expect.closeTo(5.774297714, 3), expect.closeTo(7.876832962, 3)]]);
    const row = [2, 11, 5, 6, 9, 9];
    const table = Object.fromEntries(row.map((value, at) => [`f${at}`, [value]]));
    expect(await plain("topics", { table })).toEqual([["a", "b", "d"]]);
  });

  test.each(["iris", "sentiment", "search"])(
    "%s refuses a file, and reads none of it",
    async (model) => {
      // Read as an object, each of its bytes would be a member that is not known.
      const answer = await served.fetch(`/models/${model}`, {
        method: "POST",
        headers: { "Content-Type": "image/png" },
        body: new Uint8Array(100_000),
      });
      expect(answer.status).toBe(422);
      expect(await answer.text()).toMatch(/inputs is a file, and the model takes/);
    },
  );

  test.each<[string, unknown, number, RegExp]>([
    ["sentiment", {}, 422, /inputs is missing/],
    ["sentiment", { inputs: TEXTS, parameters: { top: 1 } }, 422, /"top" is not known/],
    [
      "sentiment",
      { inputs: "a", parameters: { function_to_apply: "softmax" } },
      422,
      /parameters\.function_to_apply must be "none" or absent/,
    ],
    ["sentiment", { inputs: "a", colour: "red" }, 422, /colour/],
    ["sentiment/pipeline/fill-mask", { inputs: "a" }, 422, /text-classification, not fill-mask/],
    ["search/pipeline/poetry", { inputs: "a" }, 422, /feature-extraction, .*no form/],
    ["search", { inputs: { source_sentence: "a", sentences: [] } }, 422, /sentences must not be/],
    ["search", { inputs: { source_sentence: "a" } }, 422, /inputs\.sentences/],
    ["search", { inputs: "a", normalize: false }, 422, /normalize/],
    ["search", { inputs: "a", dimensions: 100_000 }, 422, /dimensions/],
    ["search", { inputs: "a", parameters: { normalize: "yes" } }, 422, /parameters\.normalize/],
    [
      "search",
      { inputs: { source_sentence: "a", sentences: ["b"] }, normalize: true },
      422,
      /parameters of a comparison/,
    ],
    ["splade-bert", { inputs: "a" }, 422, /\/v1\/models\/splade-bert\/predict/],
    ["retail", { inputs: ["85123A"] }, 422, /\/v1\/models\/retail\/predict/],
    ["iris", { table: { sepal_length: [1, 2], sepal_width: [1] } }, 422, /sepal_width has 1/],
    ["iris", { table: { sepal_length: 1 } }, 422, /table must be an object of columns/],
    ["iris", { inputs: [5.1, 3.5, 1.4, 0.2] }, 422, /inputs/],
    ["iris", { table: { colour: [1] } }, 422, /table\.colour is not a feature/],
    ["nobody", { inputs: "a" }, 404, /nobody/],
  ])("%s refuses %j with %i", async (path, body, status, message) => {
    const answer = await post(served, `/models/${path}`, body);
    expect(answer.status).toBe(status);
    expect(answer.body["error"]).toMatch(message);
  });
}

interface Example {
  input: object;
  output: { value: number };
}
