import { rm } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { answersTexts, textModels, TEXTS_ENV } from "./texts.ts";
import { post } from "./platforms.ts";

function serve(STORE: string, env: Record<string, string> = {}) {
  const app = createApp(createService(createNodePlatform({ STORE, ...TEXTS_ENV, ...env })));
  return { fetch: async (path: string, init?: RequestInit) => app.request(path, init) };
}

answersTexts(async (models) => ({ ...serve(models), stop: () => Promise.resolve() }));

test("of several models of a task the default answers, or the request names one", async () => {
  const models = await textModels();
  onTestFinished(() => rm(models, { recursive: true }));
  const ask = async (env: Record<string, string>) =>
    (await post(serve(models, env), "/embed", { inputs: "a" })).body as unknown;
  const refused = {
    error_type: "Validation",
    error: expect.stringMatching(/search, tokens, vectors-bert, or set DEFAULT_MODEL\.$/),
  };
  expect(await ask({ DEFAULT_MODEL: "" })).toMatchObject(refused);
  expect(await ask({ DEFAULT_MODEL: "rank-bert" })).toMatchObject(refused);
  expect(await ask({ DEFAULT_MODEL: "search" })).toEqual([expect.any(Array)]);
});

test("without a model, each route of TEI asks the only one that does its task", async () => {
  const models = await textModels();
  onTestFinished(() => rm(models, { recursive: true }));
  const sentences = { source_sentence: "a", sentences: ["b"] };
  const asked: [path: string, model: string, body?: object][] = [
    ["/embed", "search", { inputs: "a" }],
    ["/embed_all", "tokens", { inputs: "a" }],
    ["/embed_sparse", "splade-bert", { inputs: "a" }],
    ["/rerank", "rank-bert", { query: "a", texts: ["b"] }],
    ["/predict", "sentiment", { inputs: "a" }],
    ["/similarity", "similar-bert", { inputs: sentences }],
    ["/tokenize", "rank-bert", { inputs: "a" }],
    ["/decode", "splade-bert", { ids: [5] }],
    ["/info", "rank-bert"],
  ];
  for (const [path, model, body] of asked) {
    // Of each task there is one that this caller may use.
    const key = apiKey("one", { scopes: ["predict", "read"], models: [model, "iris"] });
    const served = serve(models, { AUTH: "", API_KEYS: keyList(key), DEFAULT_MODEL: "" });
    const response = await served.fetch(path, {
      method: body ? "POST" : "GET",
      headers: { ...bearer(key.key), "Content-Type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get("x-model-name")).toBe(model);
  }
});

test("without a model, only those that the caller may use are found and named", async () => {
  const models = await textModels();
  onTestFinished(() => rm(models, { recursive: true }));
  const scopes = ["predict" as const, "read" as const];
  const narrow = apiKey("narrow", { scopes, models: ["tokens"] });
  const other = apiKey("other", { scopes, models: ["sentiment"] });
  const reader = apiKey("reader", { scopes: ["read"] });
  const env = { AUTH: "", API_KEYS: keyList(narrow, other, reader), DEFAULT_MODEL: "search" };
  const served = serve(models, env);
  const ask = async (key: string, body: object) =>
    (await post(served, "/embed_all", body, bearer(key))).status;
  expect(await ask(narrow.key, { inputs: "a" })).toBe(200);
  expect(await ask(other.key, { inputs: "a" })).toBe(404);
  expect(await ask(other.key, { inputs: "a", model: "tokens" })).toBe(403);
  expect(await ask(reader.key, { inputs: "a" })).toBe(403);
  expect(await ask("wrong", { inputs: "a" })).toBe(401);
});
