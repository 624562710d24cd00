import { jsonBytes } from "../model/shown.ts";
import type { JsonSchema } from "../tasks/define.ts";

/** Longest example in the description of the API, in bytes of JSON. */
const EXAMPLE_BYTES = 4096;
/** Longest schema of one model's input or answer, in bytes of JSON. */
const SCHEMA_BYTES = 64 * 1024;
/** Most values of an enum, and most members of an object, that a schema lists. */
const MOST_LISTED = 200;

/** Whether a value is short enough for an example in the description. */
export function isShortExample(value: unknown): boolean {
  return value !== undefined && jsonBytes(value) <= EXAMPLE_BYTES;
}

/**
 * The schema without its long lists, such as thousands of labels. It accepts all that the whole schema accepts. The
 * model's own page has the lists.
 */
export function smallSchema(schema: JsonSchema, model: string): JsonSchema {
  const short = withoutLongLists(schema) as JsonSchema;
  if (jsonBytes(short) <= SCHEMA_BYTES) return short;
  return {
    ...("type" in schema && { type: schema["type"] }),
    description: `Too long to show here. GET /v1/models/${model} has it.`,
  };
}

function withoutLongLists(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutLongLists);
  if (typeof value !== "object" || value === null) return value;
  const { enum: values, properties, required, additionalProperties, ...rest } = value as JsonSchema;
  const notes: string[] = [];
  const kept: JsonSchema = {};
  if (isLong(values)) notes.push(`One of ${values.length} values.`);
  else if (values !== undefined) kept["enum"] = values;
  const members = properties === undefined ? [] : Object.keys(properties as object);
  if (isLong(members)) notes.push(`${members.length} members.`);
  else {
    if (properties !== undefined) kept["properties"] = mapValues(properties as JsonSchema);
    if (required !== undefined) kept["required"] = required;
    if (additionalProperties !== undefined)
      kept["additionalProperties"] = withoutLongLists(additionalProperties);
  }
  const { description = "" } = rest as { description?: string };
  return {
    ...mapValues(rest),
    ...kept,
    ...(notes.length > 0 && { description: [description, ...notes].join(" ").trim() }),
  };
}

function mapValues(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, withoutLongLists(value)]),
  );
}

function isLong(list: unknown): list is unknown[] {
  return Array.isArray(list) && list.length > MOST_LISTED;
}
