import type { Context, TypedResponse } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { JSONParsed } from "hono/utils/types";
import { checkAnswerBytes } from "../wire/answer-size.ts";
import { writeJson } from "../wire/raw-number.ts";
import type { AppEnv } from "./exchange.ts";

/**
 * An answer with the header fields that were gathered for the request. They are in a plain object: Hono's own
 * `c.header` and `c.json` make and copy `Headers`, which is a tenth of what a prediction costs.
 */
export function answer(
  c: Context<AppEnv>,
  body: string | Uint8Array<ArrayBuffer> | ArrayBuffer | ReadableStream,
  headers: Record<string, string>,
  status: ContentfulStatusCode = 200,
): Response {
  const exchange = c.get("exchange");
  const all = { ...exchange.headers, ...headers };
  // Header fields that an app around this one has set are kept by Hono's own responses only.
  if (headers["Content-Encoding"] === undefined)
    return exchange.wrapped
      ? c.newResponse(body, status, all)
      : new Response(body, { status, headers: all });
  // Without `encodeBody` workerd would compress a second time.
  return new Response(body, {
    status,
    headers: exchange.wrapped ? c.newResponse(null, status, all).headers : all,
    encodeBody: "manual",
  } as ResponseInit);
}

/**
 * Like {@link answer}, and compresses when `Accept-Encoding` names gzip or deflate and nothing else. HTTP
 * libraries send a list of codings unasked, and tensors hardly shrink: a megabyte of float32 would cost tens of
 * milliseconds to save a tenth.
 */
export function answerEncoded(
  c: Context<AppEnv>,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Response {
  checkAnswerBytes(body.length, c.get("exchange").maxAnswerBytes ?? Infinity);
  const coding = c.req.header("accept-encoding")?.trim().toLowerCase();
  if (coding !== "gzip" && coding !== "deflate") return answer(c, body, headers);
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream(coding));
  return answer(c, stream, { ...headers, "Content-Encoding": coding, Vary: "Accept-Encoding" });
}

/**
 * Like {@link answer}, for JSON. Throws `answer_too_large` for more than the limit: what a task of the deployment's
 * own answers, and numbers that are longer than most.
 */
export function answerText(c: Context<AppEnv>, json: string): Response {
  checkAnswerBytes(json.length, c.get("exchange").maxAnswerBytes ?? Infinity);
  return answer(c, json, { "Content-Type": "application/json" });
}

/** Like {@link answerText}, with the type that `hono/client` reads. */
export function answerJson<Json>(c: Context<AppEnv>, value: Json) {
  const response = answerText(c, writeJson(value));
  return response as Response & TypedResponse<JSONParsed<Json>, 200, "json">;
}
