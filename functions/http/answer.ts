import type { Context, TypedResponse } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { JSONParsed } from "hono/utils/types";
import { checkAnswerBytes } from "../wire/answer-size.ts";
import { writeJson } from "../wire/raw-number.ts";
import type { AppEnv } from "./exchange.ts";

/**
 * Makes an answer with the request's header fields. They are in a plain object: Hono's own `c.header` and `c.json` make
 * and copy `Headers`, which takes a tenth of a prediction's time.
 */
export function answer(
  c: Context<AppEnv>,
  body: string | Uint8Array<ArrayBuffer> | ArrayBuffer | ReadableStream | null,
  headers: Record<string, string>,
  status: ContentfulStatusCode = 200,
): Response {
  const exchange = c.get("exchange");
  const all = { ...exchange.headers };
  for (const name in headers) all[name] = headers[name] as string;
  // Only Hono's own responses keep the header fields that an app around this one has set.
  if (headers["Content-Encoding"] === undefined)
    return exchange.wrapped
      ? c.newResponse(body, status, all)
      : exchange.createAnswer
        ? exchange.createAnswer(body, { status, headers: all })
        : new Response(body, { status, headers: all });
  // Without `encodeBody` workerd would compress a second time.
  return new Response(body, {
    status,
    headers: exchange.wrapped ? c.newResponse(null, status, all).headers : all,
    encodeBody: "manual",
  } as ResponseInit);
}

/**
 * Like {@link answer}, but compresses when `Accept-Encoding` names only gzip or only deflate. HTTP libraries send a
 * list of codings without being asked, and tensors hardly shrink: compressing a megabyte of float32 would take tens of
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
 * Like {@link answer}, for JSON. Throws `answer_too_large` when it is over the limit. Estimates made before can miss
 * that, for a deployment's own tasks and for unusually long numbers.
 */
export function answerText(c: Context<AppEnv>, json: string): Response {
  checkAnswerBytes(json.length, c.get("exchange").maxAnswerBytes ?? Infinity);
  return answer(c, json, { "Content-Type": "application/json" });
}

/** Like {@link answerText}, but typed for `hono/client`. */
export function answerJson<Json>(c: Context<AppEnv>, value: Json) {
  const response = answerText(c, writeJson(value));
  return response as Response & TypedResponse<JSONParsed<Json>, 200, "json">;
}
