import type { Context } from "hono";
import * as z from "zod";
import { checkBody, invalidInput } from "../../errors.ts";
import type { AppEnv } from "../../http/exchange.ts";
import { mediaTypeOf } from "../../http/media-type.ts";
import { readFile } from "../../http/predict-body.ts";
import { readJson } from "../../http/read-json.ts";
import type { ModelVersion } from "../../model/registry.ts";
import type { Platform } from "../../platform/types.ts";
import { isObject, rowsOfFeatures } from "../rows.ts";
import { cutOn, truncationDirection } from "../truncation.ts";

// A zod schema of the columns would make an issue for each that is wrong.
const columns = z
  .custom<Record<string, unknown[]>>(
    (table) => isObject(table) && Object.values(table).every(Array.isArray),
    "must be an object of columns, each an array with a value for each row",
  )
  .meta({ type: "object", additionalProperties: { type: "array", items: {} } });

const vectorParameters = {
  normalize: z.boolean().nullish(),
  truncate: z.boolean().nullish(),
  truncation_direction: truncationDirection,
  dimensions: z.number().int().positive().nullish(),
};

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
  ...vectorParameters,
  prompt_name: z.string().nullish(),
});

const vectorsRequest = z.object({ parameters: z.looseObject(vectorParameters) });

const tableRequest = z.strictObject({ inputs: z.strictObject({ data: columns }) });

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** A request, whatever its form was. */
export interface Question {
  inputs: unknown;
  /** Those that are not null. */
  parameters: Record<string, unknown>;
}

/**
 * Reads a request: JSON, or the bytes of an image or of sound. Bytes may come without a `Content-Type`, as the clients send them.
 * Rejects as {@link readJson} does.
 */
export async function readQuestion(c: Context<AppEnv>, platform: Platform): Promise<Question> {
  const { type } = mediaTypeOf(c.req);
  if (type === "" || /^(image|audio)\/|^application\/octet-stream$/.test(type)) {
    const { config, now } = platform;
    const options = { maxBytes: config.limits.bodyBytes, now };
    return { inputs: await readFile(c, options), parameters: {} };
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

/** Parameters for vectors, without those of the model's task: those are in `others`. Throws `invalid_input`. */
export function readVectorParameters(parameters: Question["parameters"]) {
  const data = checkBody(vectorsRequest, { parameters });
  const {
    normalize,
    truncate,
    truncation_direction: direction,
    dimensions,
    ...others
  } = data.parameters;
  return {
    normalize,
    dimensions,
    others,
    longTexts: truncate === false ? ("refuse" as const) : cutOn(direction),
  };
}

/**
 * The rows of a table of columns. Its numbers may be strings, as in the clients' examples. Throws `invalid_input` for
 * anything else.
 */
export function rowsOfTable(version: ModelVersion, inputs: unknown): object[] {
  const parsed = checkBody(tableRequest, { inputs });
  const rows = rowsOfFeatures(version, parsed.inputs.data, "table");
  if (!rows)
    throw invalidInput([{ path: "table", message: "must have the model's features as columns" }]);
  const { features = [] } = version.manifest;
  const numeric = features.flatMap(({ name, type }) =>
    type === "number" || type === "integer" ? [name] : [],
  );
  for (const row of rows as Record<string, unknown>[])
    for (const name of numeric) if (name in row) row[name] = numberOf(row[name]);
  return rows;
}

function numberOf(value: unknown): unknown {
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : value;
}
