import type { ReleasedModel } from "../../model/released-models.ts";
import { answers, json, object, pathsOf } from "../../openapi/operation.ts";
import { namingModels } from "../describe-models.ts";
import type { Description } from "../define.ts";
import { RANKING_TASKS } from "../ranking.ts";
import { embedRequest, NUMBER_KINDS } from "./embed.ts";
import { cohereRequest } from "./routes.ts";

export function describe(models: readonly ReleasedModel[]): Description {
  const result = object({ index: { type: "integer" }, relevance_score: { type: "number" } });
  const numbers = { type: "array", items: { type: "array", items: { type: "number" } } };
  const error = { schema: "CohereError", mediaType: "application/json" };
  return {
    paths: pathsOf({
      "post /v2/embed": {
        tag: "Cohere",
        summary: "Vectors of texts, by kind",
        body: json(namingModels(embedRequest, models, ["feature-extraction"])),
        answer: answers(
          object({
            id: { type: "string" },
            embeddings: {
              type: "object",
              properties: {
                ...Object.fromEntries(NUMBER_KINDS.map((kind) => [kind, numbers])),
                base64: { type: "array", items: { type: "string" } },
              },
            },
            texts: { type: "array", items: { type: "string" } },
            meta: { type: "object" },
          }),
        ),
        assigned: true,
        error,
      },
      "post /v2/rerank": {
        tag: "Cohere",
        summary: "Documents by how well they answer a query",
        body: json(namingModels(cohereRequest, models, RANKING_TASKS)),
        answer: answers(
          object({
            id: { type: "string" },
            results: { type: "array", items: result },
            meta: { type: "object" },
          }),
        ),
        assigned: true,
        error,
      },
    }),
    schemas: { CohereError: object({ id: { type: "string" }, message: { type: "string" } }) },
  };
}
