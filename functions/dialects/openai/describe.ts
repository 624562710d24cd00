import type { ReleasedModel } from "../../model/released-models.ts";
import { json, object, pathsOf } from "../../openapi/operation.ts";
import { schemaOf } from "../../openapi/schema.ts";
import type { JsonSchema } from "../../tasks/define.ts";
import type { Description } from "../define.ts";
import { embeddingsRequest } from "./routes.ts";

export function describe(models: readonly ReleasedModel[]): Description {
  const embedding = models
    .filter(({ manifest }) => manifest.task === "feature-extraction")
    .map(({ manifest }) => manifest.name);
  const request = schemaOf(embeddingsRequest);
  const properties = request["properties"] as Record<string, JsonSchema>;
  return {
    paths: pathsOf({
      "post /v1/embeddings": {
        tag: "OpenAI",
        summary: "Vectors of texts",
        body: json({
          ...request,
          properties: {
            ...properties,
            ...(embedding.length > 0 && { model: { enum: embedding } }),
          },
        }),
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
