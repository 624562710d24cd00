import { expect, test } from "vitest";
import { defineTask } from "../../functions/tasks/define.ts";
import * as z from "zod";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { emptyStore, fixture, writePackage } from "../tasks/service.ts";
import { openService } from "./counting-service.ts";

const baskets = (count: number) => Array.from({ length: count }, () => ["85123A"]);
const predict = (model: string, inputs: unknown, parameters?: object) =>
  [`/v1/models/${model}/predict`, JSON.stringify({ inputs, parameters })] as const;

test("rows × top_k are known before the model runs", async () => {
  const { ask, runs, calls } = openService();
  const { status, body } = await ask(...predict("retail", baskets(1000), { top_k: 500 }));
  expect([status, body["code"], body["title"]]).toEqual([
    507,
    "answer_too_large",
    "Answer too large",
  ]);
  expect(body["detail"]).toMatch(
    /about 4\d{7} bytes; at most 16777216 are sent \(MAX_ANSWER_BYTES/,
  );
  expect(runs).toEqual([]);
  expect(calls.at(-1)).toMatchObject({ executed: false, error: { code: "answer_too_large" } });
  expect((await ask(...predict("retail", baskets(1000), { top_k: 10 }))).status).toBe(200);
  expect((await ask(...predict("retail", baskets(100), { top_k: 500 }))).status).toBe(200);
});

test("the estimate is near the answer, and not below it", async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `text number ${index}`);
  const flowers = Array.from({ length: 40 }, () => [5.1, 3.5, 1.4, 0.2]);
  for (const [model, inputs, parameters] of [
    ["retail", baskets(40), { top_k: 500 }],
    ["iris", flowers, {}],
    ["search", texts, {}],
  ] as const) {
    const open = openService();
    const { body } = await open.ask(...predict(model, inputs, parameters));
    const size = JSON.stringify(body["outputs"]).length;
    const tight = openService({ MAX_ANSWER_BYTES: "1000" });
    const { body: refusal } = await tight.ask(...predict(model, inputs, parameters));
    const estimate = Number(/about (\d+) bytes/.exec(String(refusal["detail"]))?.[1]);
    expect(estimate / size).toBeGreaterThanOrEqual(0.95);
    expect(estimate / size).toBeLessThan(2);
  }
});

test("each dialect says so in its own form", async () => {
  const { ask } = openService({ MAX_ANSWER_BYTES: "1000" });
  const row = { name: "features", shape: [40, 4], datatype: "FP32", data: Array(160).fill(1) };
  const flowers = Array.from({ length: 40 }, () => [1, 1, 1, 1]);
  const infer = await ask("/v2/models/iris/infer", JSON.stringify({ inputs: [row] }));
  expect([infer.status, infer.body["error"]]).toEqual([507, infer.body["detail"]]);
  const serving = await ask("/v1/models/iris:predict", JSON.stringify({ inputs: flowers }));
  expect([serving.status, serving.body["error"]]).toEqual([507, serving.body["detail"]]);
  const rows = await ask("/v1/models/iris:predict", JSON.stringify({ instances: flowers }));
  expect([rows.status, rows.body["code"]]).toEqual([507, "answer_too_large"]);
  const header = { "X-Amzn-SageMaker-Target-Model": "iris" };
  for (const body of [{ inputs: flowers }, { dataframe_split: { data: flowers } }]) {
    const { status, body: error } = await ask("/invocations", JSON.stringify(body), header);
    expect([status, error]).toEqual([
      507,
      { error_code: "INTERNAL_ERROR", message: expect.stringContaining("The answer would have") },
    ]);
  }
  const embeddings = await ask(
    "/v1/embeddings",
    JSON.stringify({ model: "search", input: ["a", "b"] }),
  );
  expect([embeddings.status, embeddings.body]).toEqual([
    507,
    { error: expect.objectContaining({ type: "server_error", code: "answer_too_large" }) },
  ]);
});

test("vectors in base64 count as what they are", async () => {
  const { ask } = openService({ MAX_ANSWER_BYTES: "2000" });
  const body = { model: "search", input: ["a", "b"] };
  const base64 = JSON.stringify({ ...body, encoding_format: "base64" });
  expect((await ask("/v1/embeddings", base64)).status).toBe(200);
});

test("what a task of the deployment's own answers is measured before it is sent", async () => {
  const wordy = defineTask({
    name: "wordy",
    options: {},
    parameters: z.strictObject({}),
    input: "json",
    compile: () => ({
      preprocess: (rows) => [
        {
          feeds: { features: { datatype: "FP32", shape: [1, 2], data: new Float32Array(2) } },
          rows: rows.length,
        },
      ],
      outputNames: ["probabilities"],
      postprocess: () => ["word ".repeat(1000)],
    }),
    schema: () => ({ input: {}, output: {} }),
  });
  const store = await emptyStore();
  const tensors = { datatype: "FP32", shape: [1, 2] };
  await writePackage(store, {
    artifact: await fixture("graphs/one-row.onnx"),
    manifest: {
      name: "wordy",
      task: "wordy",
      inputs: [{ name: "features", ...tensors }],
      outputs: [{ name: "probabilities", ...tensors }],
    },
  });
  const platform = createNodePlatform({ STORE: store, MAX_ANSWER_BYTES: "1000" });
  const app = createApp(createService({ ...platform, log: () => undefined }, { tasks: [wordy] }));
  const answer = await app.request("/v1/models/wordy/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: '{"inputs":1}',
  });
  expect([answer.status, await answer.json()]).toMatchObject([507, { code: "answer_too_large" }]);
});

test("a manifest lowers the limit for its model", async () => {
  const store = await emptyStore();
  const tensors = { datatype: "FP32", shape: [1, 2] };
  await writePackage(store, {
    artifact: await fixture("graphs/one-row.onnx"),
    manifest: {
      name: "brief",
      task: "tensor",
      inputs: [{ name: "features", ...tensors }],
      outputs: [{ name: "probabilities", ...tensors }],
      limits: { answerBytes: 30 },
    },
  });
  const { ask } = openService({}, store);
  const { status, body } = await ask(...predict("brief", { features: [[1, 2]] }));
  expect([status, body["code"]]).toEqual([507, "answer_too_large"]);
});
