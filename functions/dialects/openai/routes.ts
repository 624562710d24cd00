import { Hono, type Context } from "hono";
import * as z from "zod";
import { NearcastError } from "../../errors.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { readJson } from "../../http/read-json.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import { identify } from "../../http/identify.ts";
import type { Service } from "../../service.ts";
import type { JsonBody } from "../../http/json-body.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { isTexts, shortened } from "../vectors.ts";

export const embeddingsRequest = z.strictObject({
  model: z.string(),
  input: z
    .custom<string | string[]>(
      isTexts,
      "must be a string or an array of strings: token ids belong to another tokenizer",
    )
    .meta({ anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] }),
  // Clients in Python write null for absent members.
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.number().int().positive().nullish(),
  /** The end user, for OpenAI's abuse reports. Ignored here. */
  user: z.string().nullish(),
});

/** The size of a number as base64 of four bytes, as a share of the 20 bytes that it counts in JSON. */
const BASE64_SCALE = (4 * 4) / 3 / NUMBER_BYTES;

/**
 * OpenAI's `POST /v1/embeddings`, for models with the task feature-extraction. Refuses a text with more tokens
 * than the model takes.
 */
export function embeddingsRoutes({ platform, resolve, predict }: Service) {
  return new Hono<AppEnv>().post(
    "/v1/embeddings",
    async (c: Context<AppEnv, string, JsonBody<z.input<typeof embeddingsRequest>>>) => {
      const body = await readJson(c, embeddingsRequest, platform);
      const { model, input, encoding_format: format, dimensions } = body;
      const call = { ...callOf(c), model };
      const resolved = await resolve(call);
      const { manifest } = resolved;
      if (manifest.task !== "feature-extraction")
        throw new NearcastError(
          "invalid_input",
          `${model} makes no embeddings: its task is ${manifest.task}.`,
          { issues: [{ path: "model", message: "has another task than feature-extraction" }] },
        );
      const inputs = typeof input === "string" ? [input] : input;
      const {
        outputs,
        tokens = 0,
        answerBytes,
        record,
      } = await predict({
        ...call,
        resolved,
        inputs,
        member: "input",
        // Refuses long texts, as OpenAI does. The vector of half a text would spoil a search, and nobody would notice.
        longTexts: "refuse",
        ...(format === "base64" && { answerScale: BASE64_SCALE }),
      });
      const vectors = (outputs as unknown[]).map((vector) => shortened(vector, dimensions));
      identify(c, manifest, record);
      const value = {
        object: "list" as const,
        data: vectors.map((vector, index) => ({
          object: "embedding" as const,
          index,
          embedding: format === "base64" ? toBase64(vector) : vector,
        })),
        model: manifest.name,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      };
      return answerPrediction(c, value, { bytes: answerBytes });
    },
  );
}

/** Little-endian float32. */
function toBase64(vector: readonly number[]): string {
  const bytes = new Uint8Array(Float32Array.from(vector).buffer);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
