import type { JsonSchema } from "../tasks/define.ts";

/** The differences of an operation from the usual one: JSON in, JSON out, a problem when it fails. */
export interface OperationOptions {
  tag: string;
  summary: string;
  description?: string;
  /** Path parameters, by the names in the route. */
  parameters?: readonly object[];
  /** Media type → its schema and example. */
  body?: Record<string, { schema: JsonSchema; example?: unknown; examples?: object }>;
  /** Whether the body may be absent. */
  optionalBody?: true;
  answer?: {
    description: string;
    content: Record<string, { schema: JsonSchema; example?: unknown }>;
  };
  /** The status of the answer. 200 when absent. */
  status?: number;
  /** Whether the release chooses the version. Adds the headers that choose it and that say why. */
  assigned?: true | undefined;
  /** The schema of errors, and their media type. */
  error?: { schema: string; mediaType: string };
}

export const ANYTHING: JsonSchema = { type: "object" };

/** What chooses the version while one is on trial, and says which one answered. By names in `components`. */
export const ASSIGNMENT_COMPONENTS = {
  parameters: {
    NearcastKey: {
      name: "X-Nearcast-Key",
      in: "header",
      required: false,
      description:
        "The same key always gets the same version while one is on trial. Of ASCII characters. The caller, or the request's id, when absent.",
      schema: { type: "string" },
    },
    VersionOverride: {
      name: "X-Nearcast-Version-Override",
      in: "header",
      required: false,
      description: "The version that answers. Needs the scope `override`.",
      schema: { type: "string" },
    },
  },
  headers: {
    ModelVersion: { description: "The version that answered.", schema: { type: "string" } },
    ModelAssignment: {
      description: "Why it was this version.",
      schema: { enum: ["stable", "candidate", "override", "fallback"] },
    },
  },
};

const ASSIGNING = ["NearcastKey", "VersionOverride"].map((name) => ({
  $ref: `#/components/parameters/${name}`,
}));
const ASSIGNED = {
  "X-Model-Version": { $ref: "#/components/headers/ModelVersion" },
  "X-Model-Assignment": { $ref: "#/components/headers/ModelAssignment" },
};

const PROBLEM = { schema: "Problem", mediaType: "application/problem+json" };

/** An OpenAPI operation object. */
export function operation(id: string, options: OperationOptions) {
  const { tag, summary, description, body, assigned, error = PROBLEM } = options;
  const { answer = answers(ANYTHING) } = options;
  const parameters = [...(options.parameters ?? []), ...(assigned ? ASSIGNING : [])];
  const headers = assigned && { headers: ASSIGNED };
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: !options.optionalBody, content: body } }),
    responses: {
      [options.status ?? 200]: { ...answer, ...headers },
      default: {
        ...headers,
        description: "What was wrong, and what to do.",
        content: { [error.mediaType]: { schema: ref(error.schema) } },
      },
    },
  };
}

/** Operations by path and method. Each gets an id made from both. */
export function pathsOf(
  operations: Record<string, OperationOptions>,
): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const [id, options] of Object.entries(operations)) {
    const [method = "", path = ""] = id.split(" ");
    paths[path] = { ...paths[path], [method]: operation(id, options) };
  }
  return paths;
}

export function ref(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

/** JSON with a schema, or with the name of one. */
export function json(schema: JsonSchema | string, example?: unknown) {
  return {
    "application/json": {
      schema: typeof schema === "string" ? ref(schema) : schema,
      ...(example !== undefined && { example }),
    },
  };
}

export function answers(schema: JsonSchema | string) {
  return { description: "The answer.", content: json(schema) };
}

/** An object that has all of these members. */
export function object(properties: Record<string, object>): JsonSchema {
  return { type: "object", required: Object.keys(properties), properties };
}

/** A path parameter with one of the given values. Any name when none are given. */
function pathParameter(name: string, values: readonly string[], description: string) {
  const schema = values.length > 0 ? { type: "string", enum: values } : { type: "string" };
  return { name, in: "path", required: true, description, schema };
}

/** The parameters `{model}`, `{version}` and `{label}` of paths, for the models that are released. */
export function modelParameters(models: readonly string[]) {
  const model = pathParameter("model", models, "The name of a released model.");
  const version = pathParameter("version", [], "One of the model's versions.");
  const label = pathParameter("label", ["stable"], "What release.json calls the version.");
  return { one: [model], versioned: [model, version], labelled: [model, label] };
}
