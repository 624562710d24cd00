import { Hono } from "hono";
import * as z from "zod";
import { invalidInput } from "../../errors.ts";
import type { AppEnv } from "../../http/exchange.ts";
import { readJson } from "../../http/read-json.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import type { Service } from "../../service.ts";
import type { textOptions } from "../../tasks/text/options.ts";
import { listOfAny } from "../lists.ts";
import { createRanking } from "../ranking.ts";

export const cohereRequest = z.strictObject({
  model: z.string().nullish().describe("The only released model that ranks, when absent."),
  query: z.string(),
  documents: listOfAny({ type: "string" }),
  top_n: z.number().int().positive().nullish().describe("All documents when absent."),
  max_tokens_per_doc: z
    .number()
    .int()
    .positive()
    .nullish()
    .describe("Not less than what the model takes: there it cuts off documents."),
  priority: z.number().int().nullish().describe("Ignored: it changes no answer."),
});

/** Cohere's `POST /v2/rerank`. Long documents are cut, as Cohere does. */
export function cohereRoutes(service: Service) {
  const rank = createRanking(service);
  return new Hono<AppEnv>().post("/v2/rerank", async (c) => {
    const body = await readJson(c, cohereRequest, service.platform);
    const { model, query, documents, top_n: topN, max_tokens_per_doc: mostTokens } = body;
    const { ranked, answerBytes } = await rank(c, {
      model,
      query,
      texts: documents,
      member: "documents",
      parameters: topN ? { top_k: topN } : {},
      longTexts: "cut",
      check({ manifest }) {
        const { text } = manifest as ManifestOf<typeof textOptions>;
        const path = "max_tokens_per_doc";
        if (mostTokens && text && mostTokens < text.maxLength)
          throw invalidInput([{ path, message: `must be at least ${text.maxLength}` }]);
      },
    });
    const value = {
      id: c.get("exchange").id,
      results: ranked.map(({ index, score }) => ({ index, relevance_score: score })),
      meta: { api_version: { version: "2" }, billed_units: { search_units: 1 } },
    };
    return answerPrediction(c, value, { bytes: answerBytes });
  });
}
