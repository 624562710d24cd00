import type { JsonSchema } from "./model-schemas.ts";

/** How an operation differs from the usual: JSON in, JSON out, a problem when it fails. */
export interface OperationOptions {
  tag: string;
  summary: string;
  description?: string;
  /** Path parameters, by the names in the route. */
  parameters?: readonly object[];
  /** Media type → its schema and example. */
  body?: Record<string, { schema: JsonSchema; example?: unknown; examples?: object }>;
  /** Whether the operation also does without a body. */
  optionalBody?: true;
  answer: {
    description: string;
    content: Record<string, { schema: JsonSchema; example?: unknown }>;
  };
  /** The schema of errors, and their media type. */
  error?: { schema: string; mediaType: string };
}

const PROBLEM = { schema: "Problem", mediaType: "application/problem+json" };

/** An OpenAPI operation object. */
export function operation(id: string, options: OperationOptions) {
  const { tag, summary, description, parameters, body, answer, error = PROBLEM } = options;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(parameters && parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: !options.optionalBody, content: body } }),
    responses: {
      200: answer,
      default: {
        description: "What was wrong, and what to do.",
        content: { [error.mediaType]: { schema: ref(error.schema) } },
      },
    },
  };
}

export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/** JSON with a schema, which may be given by its name. */
export function json(schema: JsonSchema | string, example?: unknown) {
  return {
    "application/json": {
      schema: typeof schema === "string" ? ref(schema) : schema,
      ...(example !== undefined && { example }),
    },
  };
}

/** A path parameter that is one of the given values; any name where there are none. */
export function pathParameter(name: string, values: readonly string[], description: string) {
  const schema = values.length > 0 ? { type: "string", enum: values } : { type: "string" };
  return { name, in: "path", required: true, description, schema };
}
