import type { JsonSchema } from "../../functions/tasks/define.ts";
import { comment, literal, memberName } from "./text.ts";

export interface SchemaOptions {
  /** Whether values of this type are sent. Arrays then need not be mutable, and base64 may be bytes or a file. */
  isInput: boolean;
  /** The schema that a `$ref` names. Undefined where there is none. */
  resolve?: ((reference: string) => unknown) | undefined;
}

/** The longest union in one line. */
const WIDTH = 90;
/** Schemas that are deeper, or that contain themselves, end in `unknown`. */
const DEEPEST = 12;
/** Bounds that only say that a number is a safe integer. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

/** A JSON Schema (2020-12) as a type. What it cannot say is `unknown`. */
export function typeOf(schema: unknown, options: SchemaOptions, depth = 0): string {
  if (schema === false) return "never";
  if (typeof schema !== "object" || schema === null || depth > DEEPEST) return "unknown";
  const own = schema as JsonSchema;
  const inner = (one: unknown) => typeOf(one, options, depth + 1);
  const { $ref, anyOf, oneOf, allOf, type } = own;
  if (typeof $ref === "string") return inner(options.resolve?.($ref));
  if ("const" in own) return literal(own["const"]);
  if (Array.isArray(own["enum"]) && own["enum"].length > 0) return union(own["enum"].map(literal));
  const alternatives = anyOf ?? oneOf;
  if (Array.isArray(alternatives)) return union(alternatives.map(inner));
  if (Array.isArray(allOf)) return allOf.map((one) => `(${inner(one)})`).join(" & ");
  if (options.isInput && own["contentEncoding"] === "base64")
    return own["contentMediaType"] === "audio/wav" ? "AudioInput" : "ImageInput";
  return union([type].flat().map((one) => ofType(one, own, inner, options)));
}

function ofType(
  type: unknown,
  schema: JsonSchema,
  inner: (schema: unknown) => string,
  { isInput }: SchemaOptions,
): string {
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return arrayOf(schema, inner, isInput);
    case "object":
      return objectOf(schema, inner);
    default:
      return "unknown";
  }
}

/** An array of this type, as an editor would write it. */
export function listOf(type: string, isInput: boolean): string {
  if (!/^[\w[\]]+$/.test(type)) return `${isInput ? "ReadonlyArray" : "Array"}<${closed(type)}>`;
  return isInput ? `readonly ${type}[]` : `${type}[]`;
}

function arrayOf(schema: JsonSchema, inner: (schema: unknown) => string, isInput: boolean): string {
  const { prefixItems, items } = schema;
  if (!Array.isArray(prefixItems)) return listOf(inner(items), isInput);
  const rest = items === undefined || items === false ? [] : [`...${listOf(inner(items), false)}`];
  return `${isInput ? "readonly " : ""}[${[...prefixItems.map(inner), ...rest].join(", ")}]`;
}

function objectOf(schema: JsonSchema, inner: (schema: unknown) => string): string {
  const { properties = {}, additionalProperties, required } = schema;
  const members = Object.entries(properties as Record<string, unknown>);
  const others =
    typeof additionalProperties === "object" && additionalProperties !== null
      ? inner(additionalProperties)
      : "unknown";
  if (members.length === 0)
    return additionalProperties === false ? "Record<string, never>" : `Record<string, ${others}>`;
  const needed = new Set(Array.isArray(required) ? (required as unknown[]) : []);
  return object(
    members.map(([name, member]) => ({
      name,
      type: inner(member),
      isOptional: !needed.has(name),
      about: aboutOf(member),
    })),
  );
}

export interface Member {
  name: string;
  type: string;
  isOptional?: boolean;
  /** Paragraphs of its comment. */
  about?: (string | undefined)[];
}

export function object(members: readonly Member[]): string {
  const lines = members.map(
    ({ name, type, isOptional = false, about = [] }) =>
      `${comment(...about)}${memberName(name)}${isOptional ? "?" : ""}:${type.startsWith("\n") ? "" : " "}${type};`,
  );
  // Literals have no line breaks: these are escaped.
  return `{\n${lines.map((line) => line.replaceAll(/^/gm, "  ")).join("\n")}\n}`;
}

/** A type before a closing bracket. A union of several lines has the bracket in a line of its own. */
export function closed(type: string): string {
  return type.startsWith("\n") ? `${type}\n` : type;
}

function union(types: readonly string[]): string {
  const unique = [...new Set(types)];
  if (unique.length === 0) return "never";
  if (unique.includes("unknown")) return "unknown";
  const line = unique.join(" | ");
  const isShort = line.length <= WIDTH && !line.includes("\n");
  if (unique.length === 1 || isShort) return line;
  return unique.map((type) => `\n  | ${type.replaceAll("\n", "\n    ")}`).join("");
}

function aboutOf(schema: unknown): (string | undefined)[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { description, default: fallback, "x-unit": unit } = schema as JsonSchema;
  const unitText = typeof unit === "string" ? unit : undefined;
  const words = typeof description === "string" ? description : "";
  return [
    // The range says it too.
    unitText === undefined ? words : words.replace(`Unit: ${unitText}.`, "").trim(),
    rangeOf(schema as JsonSchema, unitText),
    fallback === undefined || typeof fallback === "object"
      ? undefined
      : `${literal(fallback)} when absent.`,
  ];
}

function rangeOf(
  { minimum, maximum, exclusiveMinimum }: JsonSchema,
  unit: string | undefined,
): string | undefined {
  const [low, high] = [minimum, maximum].map((bound) =>
    typeof bound === "number" && Math.abs(bound) < UNBOUNDED ? bound : undefined,
  );
  const after = unit === undefined ? "." : ` ${unit}.`;
  if (low !== undefined && high !== undefined) return `From ${low} to ${high}${after}`;
  if (low !== undefined) return `At least ${low}${after}`;
  if (high !== undefined) return `At most ${high}${after}`;
  if (typeof exclusiveMinimum === "number") return `Above ${exclusiveMinimum}${after}`;
  return unit === undefined ? undefined : `In ${unit}.`;
}
