import * as z from "zod";
import type { JsonSchema } from "../tasks/define.ts";

/** The JSON Schema of a zod schema's input. */
export function schemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
  }) as JsonSchema;
  return made;
}
