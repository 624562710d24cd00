import { Hono } from "hono";
import * as z from "zod";
import { invalidBody, invalidInput, NearcastError, type ErrorCode } from "../../errors.ts";
import type { AppEnv } from "../../http/exchange.ts";
import { readBody } from "../../http/body.ts";
import { parseJson } from "../../wire/json.ts";
import { answerJson } from "../../http/answer.ts";
import { identify } from "../../http/identify.ts";
import type { Services } from "../../service.ts";
import { takes } from "../../http/json-body.ts";

const requestSchema = z.strictObject({
  model: z.string(),
  input: z.union([z.string(), z.array(z.string())], {
    error: "must be a string or an array of strings: token ids belong to another tokenizer",
  }),
  encoding_format: z.enum(["float", "base64"]).default("float"),
  dimensions: z.number().int().positive().optional(),
  /** Who asks, for abuse reports: nothing here uses it. */
  user: z.string().optional(),
});

/**
 * OpenAI's `POST /v1/embeddings`, of models with the task feature-extraction. A text with more tokens
 * than the model takes is refused.
 */
export function openaiRoutes({ platform, registryFor, predict }: Services) {
  const { limits } = platform.config;

  return new Hono<AppEnv>().post(
    "/embeddings",
    takes<z.input<typeof requestSchema>>(),
    async (c) => {
      const context = c.get("context");
      const body = await context.phases.time("read", () => readBody(c, limits.bodyBytes));
      const parsed = requestSchema.safeParse(parseJson(body, { exact: false }));
      if (!parsed.success) throw invalidBody(parsed.error);
      const { model, input, encoding_format: format, dimensions } = parsed.data;
      const { manifest } = await registryFor(context.caller, "predict").resolve(model);
      if (manifest.task !== "feature-extraction")
        throw new NearcastError(
          "invalid_input",
          `${model} makes no embeddings: its task is ${manifest.task}.`,
          { issues: [{ path: "model", message: "has another task than feature-extraction" }] },
        );
      const inputs = typeof input === "string" ? [input] : input;
      const { outputs, tokens = 0 } = await predict(
        {
          model,
          version: manifest.version,
          inputs,
          parameters: undefined,
          member: "input",
          // As OpenAI does: a vector of half a text, unnoticed, would spoil a search.
          longTexts: "refuse",
        },
        context,
      );
      const vectors = (outputs as unknown[]).map((vector) => shortened(vector, dimensions));
      identify(c, manifest, context);
      return answerJson(c, {
        object: "list" as const,
        data: vectors.map((vector, index) => ({
          object: "embedding" as const,
          index,
          embedding: format === "base64" ? toBase64(vector) : vector,
        })),
        model: manifest.name,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      });
    },
  );
}

/** OpenAI's description of a model. There is no date of creation in a package. */
export function openaiModel(name: string) {
  return { id: name, object: "model" as const, created: 0, owned_by: "nearcast" };
}

const MODEL_NOT_FOUND = "model_not_found";

/** What OpenAI calls its errors. */
const CODES: Partial<Record<ErrorCode, string>> = {
  unauthorized: "invalid_api_key",
  unknown_model: MODEL_NOT_FOUND,
  unknown_version: MODEL_NOT_FOUND,
  rate_limited: "rate_limit_exceeded",
};

/** The body that OpenAI's clients read of an error. */
export function openaiError(error: NearcastError) {
  return {
    error: {
      message: error.message,
      type: error.status < 500 ? "invalid_request_error" : "server_error",
      param: CODES[error.code] === MODEL_NOT_FOUND ? "model" : (error.issues?.[0]?.path ?? null),
      code: CODES[error.code] ?? error.code,
    },
  };
}

/** The first `dimensions` numbers at length one, as OpenAI shortens vectors; or the vector itself. */
function shortened(vector: unknown, dimensions: number | undefined): number[] {
  if (!Array.isArray(vector) || typeof vector[0] !== "number")
    throw invalidInput([
      { path: "model", message: "gives a vector a token, not one for the text" },
    ]);
  const numbers = vector as number[];
  if (dimensions === undefined || dimensions === numbers.length) return numbers;
  if (dimensions > numbers.length)
    throw invalidInput([
      { path: "dimensions", message: `must be at most ${numbers.length} for this model` },
    ]);
  const kept = numbers.slice(0, dimensions);
  const length = Math.hypot(...kept);
  return length === 0 ? kept : kept.map((value) => value / length);
}

/** Little-endian float32. */
function toBase64(vector: readonly number[]): string {
  const bytes = new Uint8Array(Float32Array.from(vector).buffer);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
