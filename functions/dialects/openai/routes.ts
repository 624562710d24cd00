import { Hono, type Context } from "hono";
import * as z from "zod";
import { NearcastError } from "../../errors.ts";
import { callOf, type AppEnv } from "../../http/exchange.ts";
import { readJson } from "../../http/read-json.ts";
import { answerPrediction } from "../../http/write-answer.ts";
import { identify } from "../../http/identify.ts";
import type { Service } from "../../service.ts";
import type { JsonBody } from "../../http/json-body.ts";
import { BASE64_SCALE, checkForm, inPrecision, isTexts, shortened, toBase64 } from "../vectors.ts";

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
  /** Jina's name of it, with its packed bits. */
  embedding_type: z.enum(["float", "base64", "binary", "ubinary"]).nullish(),
  /** The end user, for OpenAI's abuse reports. Ignored here. */
  user: z.string().nullish(),
});

/**
 * OpenAI's `POST /v1/embeddings`, for models with the task feature-extraction. Refuses a text with more tokens
 * than the model takes.
 */
export function embeddingsRoutes({ platform, resolve, predict }: Service) {
  return new Hono<AppEnv>().post(
    "/v1/embeddings",
    async (c: Context<AppEnv, string, JsonBody<z.input<typeof embeddingsRequest>>>) => {
      const body = await readJson(c, embeddingsRequest, platform);
      const { model, input, dimensions } = body;
      const format = body.embedding_type ?? body.encoding_format ?? "float";
      const isPacked = format === "binary" || format === "ubinary";
      const call = { ...callOf(c), model };
      const resolved = await resolve(call);
      const { manifest } = resolved;
      if (manifest.task !== "feature-extraction")
        throw new NearcastError(
          "invalid_input",
          `${model} makes no embeddings: its task is ${manifest.task}.`,
          { issues: [{ path: "model", message: "has another task than feature-extraction" }] },
        );
      checkForm(
        resolved,
        { dimensions, precision: isPacked ? format : undefined },
        { precision: "embedding_type" },
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
          embedding:
            format === "base64"
              ? toBase64(vector)
              : isPacked
                ? inPrecision(vector, format, manifest)
                : vector,
        })),
        model: manifest.name,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      };
      return answerPrediction(c, value, { bytes: answerBytes });
    },
  );
}
