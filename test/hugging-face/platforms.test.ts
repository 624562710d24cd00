import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { useTarget } from "../harness/use-target.ts";
import { addExport } from "./export-folder.ts";
import { expectAnswers, expectNear, recorded } from "./exports.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-models-"));
// A map of characters and pairs; a prompt by default; bytes, prompts by name and fewer numbers; independent labels.
const asked = new Set(["bge-reranker", "e5-default-prompt", "modernbert-embed", "toxic-bert"]);
const exports = recorded.filter(({ name }) => asked.has(name));
for (const { name } of exports) await addExport(models, name);
afterAll(() => rm(models, { recursive: true }));

describe.each(inThisFile(["node", "worker", "lambda"] as const))("on %s", (platform) => {
  const { postJson: post } = useTarget(platform, { models });

  test.each(exports)("$name answers as Python does", async (one) => {
    const { name, inputs, prompted = {} } = one;
    const response = await post(`/v1/models/${name}/predict`, { inputs });
    expect(response.status).toBe(200);
    expectAnswers(one, ((await response.json()) as { outputs: unknown }).outputs);
    for (const [prompt, vectors] of Object.entries(prompted)) {
      const few = inputs.slice(0, vectors.length);
      const parameters = { prompt_name: prompt };
      const answer = await post(`/v1/models/${name}/predict`, { inputs: few, parameters });
      expectNear(((await answer.json()) as { outputs: unknown }).outputs, vectors, prompt);
    }
  });

  test("a client of OpenAI gets the vectors of the default prompt", async () => {
    const one = exports.find(({ name }) => name === "e5-default-prompt");
    const response = await post("/v1/embeddings", {
      model: "e5-default-prompt",
      input: one?.inputs.slice(0, 2),
    });
    const { data } = (await response.json()) as { data: { embedding: number[] }[] };
    expectNear(
      data.map(({ embedding }) => embedding),
      one?.answers.slice(0, 2),
      "embeddings",
    );
  });

  test("a prompt that the model does not have is refused with the names of those that it has", async () => {
    const response = await post("/v1/models/e5-default-prompt/predict", {
      inputs: "text",
      parameters: { prompt_name: "question" },
    });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      errors: [{ path: "parameters.prompt_name", message: "must be one of query, passage" }],
    });
  });
});
