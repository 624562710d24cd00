import type { Context } from "hono";
import * as z from "zod";
import { invalidBody, invalidInput } from "../../errors.ts";
import { readBody } from "../../http/body.ts";
import type { AppEnv } from "../../http/exchange.ts";
import { mediaTypeOf } from "../../http/media-type.ts";
import { readJson } from "../../http/read-json.ts";
import type { ModelVersion } from "../../model/registry.ts";
import type { Platform } from "../../platform/types.ts";
import { isObject, rowsOfFeatures } from "../rows.ts";

// A zod schema of the columns would make an issue for each that is wrong.
const columns = z
  .custom<Record<string, unknown[]>>(
    (table) => isObject(table) && Object.values(table).every(Array.isArray),
    "must be an object of columns, each an array with a value for each row",
  )
  .meta({ type: "object", additionalProperties: { type: "array", items: {} } });

/** Clients of Python write null for what is absent. */
export const huggingFaceRequest = z.strictObject({
  inputs: z.unknown().optional(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  table: columns.nullish(),
  options: z
    .strictObject({ use_cache: z.boolean().nullish(), wait_for_model: z.boolean().nullish() })
    .nullish()
    .describe("Changes no answer: a model is always waited for."),
  // Feature extraction has its parameters beside the inputs.
  normalize: z.boolean().nullish(),
  prompt_name: z.string().nullish(),
  truncate: z.boolean().nullish(),
  truncation_direction: z.enum(["Right", "right"]).nullish(),
  dimensions: z.number().int().positive().nullish(),
});

const tableRequest = z.strictObject({ inputs: z.strictObject({ data: columns }) });

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** A request, whatever its form was. */
export interface Question {
  inputs: unknown;
  /** Those that are not null. */
  parameters: Record<string, unknown>;
}

/**
 * Reads a request: JSON, or the bytes of an image. Bytes may come without a `Content-Type`, as the clients send them.
 * Rejects as {@link readJson} does.
 */
export async function readQuestion(c: Context<AppEnv>, platform: Platform): Promise<Question> {
  const { type } = mediaTypeOf(c.req);
  if (type === "" || type.startsWith("image/") || type === "application/octet-stream") {
    const { config, now } = platform;
    const options = { maxBytes: config.limits.bodyBytes, now };
    return { inputs: await readBody(c, options), parameters: {} };
  }
  const {
    inputs,
    table,
    parameters,
    options: _,
    ...beside
  } = await readJson(c, huggingFaceRequest, platform);
  const all = Object.entries({ ...beside, ...parameters });
  return {
    inputs: table ? { data: table } : inputs,
    parameters: Object.fromEntries(
      all.filter(([, value]) => value !== null && value !== undefined),
    ),
  };
}

/**
 * The rows of a table of columns. Its numbers may be strings, as in the clients' examples. Throws `invalid_input` for
 * anything else.
 */
export function rowsOfTable(version: ModelVersion, inputs: unknown): object[] {
  const parsed = tableRequest.safeParse({ inputs });
  if (parsed.error) throw invalidBody(parsed.error);
  const { features = [] } = version.manifest;
  const numeric = new Set(
    features.flatMap(({ name, type }) => (type === "number" || type === "integer" ? [name] : [])),
  );
  const columns = Object.entries(parsed.data.inputs.data).map(([name, values]) => [
    name,
    numeric.has(name) ? values.map(numberOf) : values,
  ]);
  const rows = rowsOfFeatures(version, Object.fromEntries(columns), "table");
  if (rows) return rows;
  throw invalidInput([{ path: "table", message: "must have the model's features as columns" }]);
}

function numberOf(value: unknown): unknown {
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : value;
}
