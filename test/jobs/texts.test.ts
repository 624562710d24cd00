import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { textModels, TEXTS_ENV } from "../dialects/texts.ts";
import { startJobs } from "./started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const TEXTS = ["a phone", "bread is baked"];
const RANKED = { query: "great phone", texts: TEXTS };
const DOCUMENTS = { model: "rank-bert", query: "great phone", documents: TEXTS };

/** A request of each route: its path and its body. */
const REQUESTS: [path: string, body: object][] = [
  ["/embed", { inputs: TEXTS }],
  ["/embed_all", { inputs: TEXTS, model: "tokens" }],
  ["/embed_sparse", { inputs: TEXTS, model: "splade-bert" }],
  ["/rerank", RANKED],
  ["/predict", { inputs: "great phone", model: "sentiment" }],
  ["/tokenize", { inputs: TEXTS }],
  ["/decode", { ids: [101, 102] }],
  ["/similarity", { inputs: { source_sentence: "a phone", sentences: TEXTS } }],
  ["/models/sentiment", { inputs: TEXTS, parameters: { top_k: 1 } }],
  ["/models/search/pipeline/feature-extraction", { inputs: TEXTS, normalize: true }],
  ["/v1/rerank", DOCUMENTS],
  ["/v2/rerank", DOCUMENTS],
  [
    "/v2/embed",
    { model: "search", texts: TEXTS, input_type: "search_query", embedding_types: ["float"] },
  ],
];

let models: string;
beforeAll(async () => {
  models = await textModels();
});
afterAll(() => rm(models, { recursive: true }));

async function start() {
  const started = await startJobs({ ...TEXTS_ENV, STORE: models });
  onTestFinished(() => started.end());
  return started;
}

describe.runIf(hasSqlite)(
  "jobs of text-embeddings-inference, Hugging Face, Jina and Cohere",
  () => {
    test.for(REQUESTS)("%s is answered later as it is at once", async ([path, body]) => {
      const { post, later, ended, ask, work } = await start();
      work();
      const headers = { "X-Request-Id": "one-request" };
      const now = await post(path, body, headers);
      const made = await later(path, body, headers);
      expect(made.status).toBe(202);
      expect(made.headers.get("preference-applied")).toBe("respond-async");
      const location = made.headers.get("location") ?? "";
      const job = await ended(location);
      expect(job.status).toBe(now.status < 400 ? "succeeded" : "failed");
      const result = await ask(`${location}/result`);
      expect(result.status).toBe(now.status);
      expect(result.headers.get("content-type")).toBe(now.headers.get("content-type"));
      expect(await result.bytes()).toEqual(await now.bytes());
    });

    test("what is no call of the dialect is refused at once, in its own words", async () => {
      const { post, later } = await start();
      for (const [path, body] of [
        ["/embed", { inputs: 7 }],
        ["/predict", { inputs: "great phone", model: "search" }],
        ["/models/search", { inputs: { source_sentence: "a" } }],
        ["/v1/rerank", { ...DOCUMENTS, documents: 7 }],
        ["/v2/embed", { model: "nobody", texts: TEXTS, input_type: "search_query" }],
      ] as [string, object][]) {
        const headers = { "X-Request-Id": "one-request" };
        const now = await post(path, body, headers);
        const asked = await later(path, body, headers);
        expect(now.status).toBeGreaterThanOrEqual(400);
        expect([asked.status, await asked.text()]).toEqual([now.status, await now.text()]);
      }
    });
  },
);
