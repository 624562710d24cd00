import type * as z from "zod";
import type { ReleasedModel } from "../model/released-models.ts";
import { schemaOf } from "../openapi/schema.ts";
import type { JsonSchema } from "../tasks/define.ts";
import { kindOf, type Tasks } from "./task-model.ts";

/** The schema of a request whose member `model` is one of the released models with these tasks. */
export function namingModels(
  request: z.ZodType,
  models: readonly ReleasedModel[],
  tasks: Tasks,
): JsonSchema {
  const names = models
    .filter(({ manifest }) => tasks.includes(kindOf(manifest)))
    .map(({ manifest }) => manifest.name);
  const schema = schemaOf(request);
  if (names.length === 0) return schema;
  const properties = schema["properties"] as Record<string, JsonSchema>;
  return { ...schema, properties: { ...properties, model: { enum: names } } };
}
