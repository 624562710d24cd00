import type { ReleasedModel } from "../../model/released-models.ts";
import { json, object, pathsOf } from "../../openapi/operation.ts";
import { namingModels } from "../describe-models.ts";
import type { Description } from "../define.ts";
import { embeddingsRequest } from "./routes.ts";

export function describe(models: readonly ReleasedModel[]): Description {
  return {
    paths: pathsOf({
      "post /v1/embeddings": {
        tag: "OpenAI",
        summary: "Vectors of texts",
        body: json(namingModels(embeddingsRequest, models, ["feature-extraction"])),
        assigned: true,
        error: { schema: "OpenAIError", mediaType: "application/json" },
      },
    }),
    schemas: {
      OpenAIError: object({
        error: object({
          message: { type: "string" },
          type: { type: "string" },
          param: { type: ["string", "null"] },
          code: { type: "string" },
        }),
      }),
    },
  };
}
