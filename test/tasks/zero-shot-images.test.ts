import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { ScoredLabel } from "../../functions/tasks/zero-shot-classification/answers.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";
import { openEncoder } from "./encoder.ts";
import { expectSchema } from "../hugging-face/specifications.ts";
import { openService } from "./service.ts";
import { addedModels, cases, pictures, type Case } from "./zero-shot-images.ts";

const TASK = "zero-shot-image-classification";
const models = await addedModels();
afterAll(() => rm(models, { recursive: true }));

interface Asked {
  status: number;
  outputs: unknown;
}
type Predict = (model: string, inputs: unknown, parameters?: object) => Promise<Asked>;
const PLATFORMS = ["node", "worker", "lambda", "node on WASM"] as const;

describe.each(inThisFile(PLATFORMS))("on %s", (platform) => {
  let target: Target | undefined;
  let predict: Predict;
  beforeAll(async () => {
    if (platform === "node on WASM") {
      predict = openService(models, "wasm").predict;
      return;
    }
    const started = await targets[platform]({ models });
    target = started;
    predict = async (model, inputs, parameters) => {
      const response = await started.fetch(`/v1/models/${model}/predict`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs, parameters }),
      });
      return { status: response.status, ...((await response.json()) as object) } as Asked;
    };
  });
  afterAll(() => target?.stop());

  test.each(cases)(
    "200 pictures have the scores of $model in pipeline()",
    async ({ model, rows }) => {
      expect(rows).toHaveLength(200);
      const unlike: string[] = [];
      for (const template of new Set(rows.map((row) => row.hypothesis_template))) {
        const own = [...rows.keys()].filter((at) => rows[at]?.hypothesis_template === template);
        const inputs = own.map((at) => ({
          image: pictures[at],
          candidate_labels: rows[at]?.labels,
        }));
        const { outputs, status } = await predict(model, inputs, {
          hypothesis_template: template,
        });
        expect(status).toBe(200);
        const answers = outputs as ScoredLabel[][];
        expectSchema(TASK, answers[0]);
        expect(answers).toHaveLength(inputs.length);
        for (const [index, at] of own.entries()) {
          const difference = differenceOf(answers[index] ?? [], rows[at]!);
          if (difference) unlike.push(`picture ${at}: ${difference}`);
        }
      }
      expect(unlike).toEqual([]);
    },
  );

  test.each(cases)("the towers of $model have its vectors", async (one) => {
    const { model, sentences, texts, images } = one;
    const own = (await predict(`${model}-text`, sentences)).outputs as number[][];
    const seen = (await predict(`${model}-vision`, pictures)).outputs as number[][];
    expect(unlikeIn(own, texts)).toEqual([]);
    expect(unlikeIn(seen, images)).toEqual([]);
    // A text finds the pictures that the joint graph scores highest for it.
    const text = own[0] ?? [];
    const inputs = pictures.slice(0, 40);
    const parameters = { candidate_labels: [sentences[0], "x"], hypothesis_template: "{}" };
    const { outputs } = await predict(model, inputs, parameters);
    const other = (await predict(`${model}-text`, "x")).outputs as number[];
    const isNear = (at: number) => cosine(text, seen[at] ?? []) > cosine(other, seen[at] ?? []);
    const isFirst = (at: number) => {
      const [best] = (outputs as ScoredLabel[][])[at] ?? [];
      return best?.label === sentences[0];
    };
    const numbers = [...inputs.keys()];
    expect(numbers.filter(isNear)).toEqual(numbers.filter(isFirst));
    expect(numbers.filter(isNear).length).toBeGreaterThan(0);
  });

  test("a picture comes as bytes, as a form, and in the forms of Hugging Face's clients", async () => {
    if (!target) return;
    const [{ model, rows }] = cases as [Case];
    const row = rows[0]!;
    const parameters = { candidate_labels: row.labels };
    const labels = JSON.stringify(row.labels);
    const picture = Buffer.from(pictures[0] ?? "", "base64");
    const form = new FormData();
    form.append("file", new Blob([picture]), "one.jpg");
    form.append("parameters", JSON.stringify(parameters));
    const json = { "Content-Type": "application/json" };
    const query = `candidate_labels=${encodeURIComponent(labels)}`;
    const asked: [string, RequestInit][] = [
      [`/v1/models/${model}/predict`, { body: form }],
      [
        `/v1/models/${model}/predict?${query}`,
        { body: picture, headers: { "Content-Type": "image/jpeg" } },
      ],
      ...[pictures[0], { image: pictures[0] }].map((inputs): [string, RequestInit] => [
        `/models/${model}`,
        { body: JSON.stringify({ inputs, parameters }), headers: json },
      ]),
    ];
    for (const [path, init] of asked) {
      const response = await target.fetch(path, { method: "POST", ...init });
      const answer = (await response.json()) as { outputs?: ScoredLabel[] } | ScoredLabel[];
      const found = Array.isArray(answer) ? answer : answer.outputs;
      expect(differenceOf(found ?? [], row)).toBeUndefined();
    }
  });
});

test("the API's description has both forms of an input", async () => {
  const platform = createNodePlatform({ STORE: models, ACCESS_LOG: "false" });
  const response = await createApp(createService(platform)).request("/openapi.json");
  const { components, paths } = (await response.json()) as {
    components: { schemas: Record<string, unknown> };
    paths: Record<string, unknown>;
  };
  expect(components.schemas["clip.input"]).toMatchObject({
    anyOf: [
      { contentEncoding: "base64" },
      { required: ["image"], properties: { candidate_labels: { uniqueItems: true } } },
    ],
  });
  expect(components.schemas["clip.parameters"]).toMatchObject({
    properties: { hypothesis_template: { default: "This is a photo of {}." } },
  });
  expect(paths["/v1/models/clip/predict"]).toMatchObject({
    post: { requestBody: { content: { "image/png": {}, "application/json": {} } } },
  });
});

test.each(cases)("the tokens of $model are Python's", async ({ model, sentences, tokens }) => {
  const files = ["tokenizer.json", "tokenizer_config.json"] as const;
  const read = (file: string) => readFile(join(models, model, "1", file));
  const { encode, padding } = openEncoder(
    { tokenizer: files[0], tokenizerConfig: files[1], maxLength: 64 },
    new Map(await Promise.all(files.map(async (file) => [file, await read(file)] as const))),
  );
  const made = sentences.map((text) => encode({ text }).input_ids);
  for (const [at, ids] of made.entries())
    while (ids.length < (tokens[at]?.length ?? 0)) ids.push(padding.input_ids);
  expect(made).toEqual(tokens);
});

/** How scores differ from the recorded ones, in words. Labels whose scores are about the same may change places. */
function differenceOf(made: readonly ScoredLabel[], { scores }: Case["rows"][number]) {
  const wanted = new Map(scores);
  const best = made.map(({ score }) => score);
  if (String(best.toSorted((a, b) => b - a)) !== String(best)) return "not in order";
  if (made.length !== scores.length) return `${made.length} labels`;
  const unlike = made.find(({ label, score }) => !(Math.abs(score - wanted.get(label)!) < 1e-4));
  return unlike && `${unlike.label} has ${unlike.score}, not ${wanted.get(unlike.label)}`;
}

function unlikeIn(made: readonly number[][], wanted: readonly number[][]): number[] {
  expect(made).toHaveLength(wanted.length);
  const isNear = (at: number) =>
    made[at]?.length === wanted[at]?.length &&
    made[at]!.every((value, index) => Math.abs(value - wanted[at]![index]!) < 1e-4);
  return [...wanted.keys()].filter((at) => !isNear(at));
}

function cosine(one: readonly number[], other: readonly number[]): number {
  const product = one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
  return product / (Math.hypot(...one) * Math.hypot(...other));
}
