import type { Context, TypedResponse } from "hono";
import type { JSONParsed } from "hono/utils/types";
import { checkAnswerBytes } from "../wire/answer-size.ts";
import { jsonPieces } from "../wire/json-pieces.ts";
import { writeJson } from "../wire/raw-number.ts";
import { answerText } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";

/** Less is written in some milliseconds. */
const LARGE_BYTES = 256 * 1024;
/** So much is written between two looks at other requests and at the deadline. */
const PIECE_BYTES = 128 * 1024;

interface WriteOptions {
  /** About how many bytes it will be. */
  bytes: number;
}

/** Whether an answer is written in pieces, which keep the sign of negative zeros by themselves. */
export function isLarge(bytes: number): boolean {
  return bytes >= LARGE_BYTES;
}

/**
 * The JSON of what a model answered. A large answer is written in pieces, between which other requests get their
 * turns: a promise then. Throws, or rejects with, `answer_too_large` or what the deadline throws.
 */
export function writeAnswer(
  c: Context<AppEnv>,
  value: unknown,
  { bytes }: WriteOptions,
): string | Promise<string> {
  return isLarge(bytes) ? writeInPieces(c, value) : writeJson(value);
}

/** Answers with {@link writeAnswer}, and the type that `hono/client` reads. */
export async function answerPrediction<Json>(
  c: Context<AppEnv>,
  value: Json,
  options: WriteOptions,
) {
  const json = writeAnswer(c, value, options);
  const response = answerText(c, typeof json === "string" ? json : await json);
  return response as Response & TypedResponse<JSONParsed<Json>, 200, "json">;
}

async function writeInPieces(c: Context<AppEnv>, value: unknown): Promise<string> {
  const { deadline, maxAnswerBytes = Infinity, transfer } = c.get("exchange");
  let json = "";
  let looked = 0;
  for (const piece of jsonPieces(value)) {
    json += piece;
    if (json.length - looked < PIECE_BYTES) continue;
    looked = json.length;
    checkAnswerBytes(json.length, maxAnswerBytes);
    deadline.check();
    await transfer?.writeOn();
  }
  return json;
}
