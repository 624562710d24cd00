import type { ReleasedModel } from "../../model/released-models.ts";
import { answers, json, object, pathsOf } from "../../openapi/operation.ts";
import { namingModels } from "../describe-models.ts";
import type { Description } from "../define.ts";
import { RANKING_TASKS } from "../ranking.ts";
import { cohereRequest } from "./routes.ts";

export function describe(models: readonly ReleasedModel[]): Description {
  const result = object({ index: { type: "integer" }, relevance_score: { type: "number" } });
  return {
    paths: pathsOf({
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
        error: { schema: "CohereError", mediaType: "application/json" },
      },
    }),
    schemas: { CohereError: object({ id: { type: "string" }, message: { type: "string" } }) },
  };
}
