import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { createTextBudget } from "../../functions/tasks/text-budget.ts";
import { openEncoder } from "../tasks/encoder.ts";
import { fixture } from "../tasks/service.ts";
import { openService } from "./counting-service.ts";

/** 270,000 characters. Compressed, they have a kilobyte. */
const texts = Array.from({ length: 5 }, () => "great phone ".repeat(4500));
const tensor = { name: "text", datatype: "BYTES", shape: [texts.length], data: texts };

const WAYS: Record<string, [path: string, body: unknown]> = {
  "to a model that takes text": ["/v1/models/sentiment/predict", { inputs: texts }],
  "to a model that takes tokens": ["/v1/models/search/predict", { inputs: texts }],
  "with pairs": [
    "/v1/models/search/predict",
    { inputs: texts.map((text) => ({ text: "a", text_pair: text })) },
  ],
  "for the Open Inference Protocol": ["/v2/models/sentiment/infer", { inputs: [tensor] }],
  "for TensorFlow Serving": ["/v1/models/search:predict", { instances: texts }],
  "for TensorFlow Serving, as a tensor": ["/v1/models/sentiment:predict", { inputs: texts }],
  "for MLflow": ["/invocations", { instances: texts }],
};

test.each(Object.entries(WAYS))(
  "characters are paid for with the bytes that came: texts %s",
  async (_name, [path, body]) => {
    const { ask, runs } = openService({ DEFAULT_MODEL: "search" });
    const json = Buffer.from(JSON.stringify(body));
    const compressed = gzipSync(json);
    const refused = await ask(path, compressed, { "Content-Encoding": "gzip" });
    expect(refused.status).toBe(422);
    expect(JSON.stringify(refused.body)).toContain(
      `characters in ${compressed.length} bytes; more than 262144 need a byte for each 6`,
    );
    expect(runs).toEqual([]);
    expect((await ask(path, json)).status).toBe(200);
  },
);

test("the tokens of a request are paid for with the bytes that came", async () => {
  const { ask, runs } = openService();
  // 128 tokens each, as many as the model reads, in 260 characters.
  const inputs = Array.from({ length: 520 }, () => "a ".repeat(130));
  const json = Buffer.from(JSON.stringify({ inputs }));
  const compressed = gzipSync(json);
  const path = "/v1/models/search/predict";
  const refused = await ask(path, compressed, { "Content-Encoding": "gzip" });
  expect(refused.status).toBe(422);
  expect(JSON.stringify(refused.body)).toContain(
    `to 65664 tokens in ${compressed.length} bytes; more than 65536 need a byte each`,
  );
  expect(runs).toEqual([]);
  expect((await ask(path, json)).status).toBe(200);
});

test("a text pays for what it becomes when it is normalised", async () => {
  const budget = createTextBudget(1000);
  const { encode } = openEncoder(
    { tokenizer: "tokenizer.json", maxLength: 64 },
    new Map([["tokenizer.json", await fixture("tokenizers/unigram.json")]]),
    budget,
  );
  // One character becomes eighteen.
  expect(() => encode({ text: "\ufdfa".repeat(20_000) })).toThrow("characters in 1000 bytes");
});

test("prompts of the version are not paid for by the client", () => {
  const budget = createTextBudget(100, 1_000_000);
  expect(() => budget.takeTokens(1_000_000)).not.toThrow();
  expect(() => budget.takeTokens(1000)).toThrow("in 100 bytes");
});
