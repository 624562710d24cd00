import type { Context, TypedResponse } from "hono";
import type { JSONParsed } from "hono/utils/types";
import { checkAnswerBytes } from "../wire/answer-size.ts";
import { jsonPieces } from "../wire/json-pieces.ts";
import { writeJson } from "../wire/raw-number.ts";
import { answerText } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";

/** Smaller answers are written in a few milliseconds. */
const LARGE_BYTES = 256 * 1024;
/** After this many bytes, other requests get their turns and the deadline is checked. */
const PIECE_BYTES = 128 * 1024;

/** Only a large answer is a promise. */
type MaybeLater<T> = T | Promise<T>;

interface WriteOptions {
  /** About how many bytes the answer will have. */
  bytes: number;
}

/** Whether an answer is written in pieces. Writing in pieces keeps the sign of negative zeros. */
export function isLarge(bytes: number): boolean {
  return bytes >= LARGE_BYTES;
}

/**
 * Writes the JSON of a model's answer. For a large answer it returns a promise and writes in pieces, so that other
 * requests get their turns. Throws or rejects with `answer_too_large` or with the deadline's error.
 */
export function writeAnswer(
  c: Context<AppEnv>,
  value: unknown,
  { bytes }: WriteOptions,
): string | Promise<string> {
  return isLarge(bytes) ? writeInPieces(c, value) : writeJson(value);
}

/** Answers with {@link writeAnswer}, typed for `hono/client`. */
export function answerPrediction<Json>(c: Context<AppEnv>, value: Json, options: WriteOptions) {
  const json = writeAnswer(c, value, options);
  const response =
    typeof json === "string" ? answerText(c, json) : json.then((text) => answerText(c, text));
  return response as MaybeLater<Response & TypedResponse<JSONParsed<Json>, 200, "json">>;
}

async function writeInPieces(c: Context<AppEnv>, value: unknown): Promise<string> {
  const { deadline, maxAnswerBytes = Infinity, transfer } = c.get("exchange");
  let json = "";
  let looked = 0;
  let done = 0;
  for (const piece of jsonPieces(value)) {
    json += piece;
    if (json.length - looked < PIECE_BYTES) continue;
    looked = json.length;
    checkAnswerBytes(json.length, maxAnswerBytes);
    deadline.check();
    await transfer?.pause(++done);
  }
  return json;
}
