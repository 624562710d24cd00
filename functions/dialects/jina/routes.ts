import { Hono } from "hono";
import * as z from "zod";
import type { AppEnv } from "../../http/exchange.ts";
import { readJson } from "../../http/read-json.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import type { Service } from "../../service.ts";
import { listOfAny } from "../lists.ts";
import { createRanking } from "../ranking.ts";

export const jinaRequest = z.strictObject({
  model: z.string().nullish().describe("The only released model that ranks, when absent."),
  query: z.string(),
  documents: listOfAny({
    anyOf: [
      { type: "string" },
      { type: "object", required: ["text"], properties: { text: { type: "string" } } },
    ],
  }),
  top_n: z.number().int().positive().nullish().describe("All documents when absent."),
  return_documents: z.boolean().nullish().describe("Whether the answer has the texts: yes."),
});

/** Jina's `POST /v1/rerank`. Long documents are cut, as Jina does. */
export function jinaRoutes(service: Service) {
  const rank = createRanking(service);
  return new Hono<AppEnv>().post("/v1/rerank", async (c) => {
    const body = await readJson(c, jinaRequest, service.platform);
    const { model, query, documents, top_n: topN, return_documents: withText } = body;
    const { manifest, ranked, tokens, answerBytes } = await rank(c, {
      model,
      query,
      texts: documents.map(textOf),
      member: "documents",
      parameters: { ...(topN && { top_k: topN }), return_text: withText ?? true },
      longTexts: "cut",
    });
    const value = {
      model: manifest.name,
      object: "list",
      usage: { total_tokens: tokens, prompt_tokens: tokens },
      results: ranked.map(({ index, score, text }) => ({
        index,
        relevance_score: score,
        ...(text !== undefined && { document: { text } }),
      })),
    };
    return answerPrediction(c, value, { bytes: answerBytes });
  });
}

/** A document is a text, or an object with one. The task refuses anything else. */
function textOf(document: unknown): unknown {
  const isObject = typeof document === "object" && document !== null;
  return isObject && "text" in document ? document.text : document;
}
