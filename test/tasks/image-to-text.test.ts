import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { ReadText } from "../../functions/tasks/image-to-text/reader.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";
import { addedReaders, recordedTexts, unlikeTexts } from "./image-to-text.ts";
import { expectSchema } from "../hugging-face/specifications.ts";

const { pictures, texts, cases } = await recordedTexts();
const models = await addedReaders();
afterAll(() => rm(models, { recursive: true }));

const PLATFORMS = ["node", "worker", "lambda", "node on WASM"] as const;

describe.each(inThisFile(PLATFORMS))("on %s", (platform) => {
  let target: Pick<Target, "fetch"> & Partial<Target>;
  beforeAll(async () => {
    if (platform === "node on WASM") {
      const env = { STORE: models, RUNTIME: "wasm", ACCESS_LOG: "false" };
      const app = createApp(createService(createNodePlatform(env)));
      target = { fetch: async (path, init) => app.request(path, init) };
    } else target = await targets[platform]({ models });
  });
  afterAll(() => target.stop?.());

  async function post(path: string, body: BodyInit, headers = {}): Promise<unknown> {
    const response = await target.fetch(path, { method: "POST", body, headers });
    expect(response.status).toBe(200);
    return response.json();
  }

  function postJson(path: string, body: object): Promise<unknown> {
    return post(path, JSON.stringify(body), { "Content-Type": "application/json" });
  }

  test.each(cases)("200 pictures have the texts recorded of $model", async ({ model, rows }) => {
    expect(rows).toHaveLength(200);
    const answers: ReadText[] = [];
    for (let from = 0; from < rows.length; from += 50) {
      const inputs = pictures.slice(from, from + 50);
      const made = await postJson(`/v1/models/${model}/predict`, { inputs });
      answers.push(...(made as { outputs: ReadText[] }).outputs);
    }
    expect(answers).toHaveLength(200);
    expect(unlikeTexts(answers, rows)).toEqual([]);
  });

  test("callers at once get their own texts, where their runs are joined", async () => {
    const inputs = pictures.slice(0, 40);
    const answers = await Promise.all(
      inputs.map((one) => postJson("/v1/models/crnn/predict", { inputs: one })),
    );
    const made = answers.map((one) => (one as { outputs: ReadText }).outputs);
    expect(unlikeTexts(made, cases[0]!.rows.slice(0, 40))).toEqual([]);
  });

  test("a picture comes as bytes, in parts of a form, and in Hugging Face's form", async () => {
    const body = Buffer.from(pictures[0] ?? "", "base64");
    const path = "/v1/models/crnn/predict";
    const { outputs } = (await post(path, body, { "Content-Type": "image/png" })) as {
      outputs: ReadText;
    };
    expect(unlikeTexts([outputs], cases[0]!.rows.slice(0, 1))).toEqual([]);
    const form = new FormData();
    form.set("file", new Blob([body]), "word.png");
    expect(await post(path, form)).toMatchObject({ outputs });
    const asked = (await post("/models/crnn", body)) as unknown[];
    expect(asked).toEqual([outputs]);
    expectSchema("image-to-text", asked[0]);
    // Several have a list each, as the pipeline gives them.
    const [first, second] = pictures;
    const many = await postJson("/models/crnn", { inputs: [first, second] });
    expect(many).toEqual([[outputs], [expect.objectContaining({ generated_text: texts[1] })]]);
  });
});

test("the recorded texts are mostly what stands in the pictures", () => {
  for (const { rows } of cases)
    expect(rows.filter(([text], row) => text === texts[row]).length).toBeGreaterThan(100);
});
