import type { ReleasedModel } from "../../model/released-models.ts";
import { answers, json, object, pathsOf } from "../../openapi/operation.ts";
import { namingModels } from "../describe-models.ts";
import type { Description } from "../define.ts";
import { RANKING_TASKS } from "../ranking.ts";
import { jinaRequest } from "./routes.ts";

export function describe(models: readonly ReleasedModel[]): Description {
  const number = { type: "number" };
  return {
    paths: pathsOf({
      "post /v1/rerank": {
        tag: "Jina",
        summary: "Documents by how well they answer a query",
        body: json(namingModels(jinaRequest, models, RANKING_TASKS)),
        answer: answers(
          object({
            model: { type: "string" },
            object: { const: "list" },
            usage: object({ total_tokens: number, prompt_tokens: number }),
            results: {
              type: "array",
              items: {
                type: "object",
                required: ["index", "relevance_score"],
                properties: {
                  index: { type: "integer" },
                  relevance_score: number,
                  document: object({ text: { type: "string" } }),
                },
              },
            },
          }),
        ),
        assigned: true,
        error: { schema: "JinaError", mediaType: "application/json" },
      },
    }),
    schemas: { JinaError: object({ detail: { type: "string" } }) },
  };
}
