import type { Context } from "hono";
import { NearcastError } from "../errors.ts";
import type { Source } from "../inputs/source.ts";
import { answer } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";
import { streamOf } from "./stream-of.ts";

const PIECE_BYTES = 1024 * 1024;

/** From `start` on, and before `end`. */
interface Range {
  start: number;
  end: number;
}

/** The bytes of a file, in pieces. */
async function* piecesOf(
  source: Source,
  start = 0,
  end: number = source.size,
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += PIECE_BYTES)
    yield await source.slice(at, Math.min(at + PIECE_BYTES, end));
}

/**
 * Answers with a file, or with the part that `Range` asks for (RFC 9110, section 14). `wholeBytes`: the most bytes of an answer
 * that leaves only when all of it is there. Throws `range_not_satisfiable`, and `answer_too_large`.
 */
export function answerFile(
  c: Context<AppEnv>,
  source: Source,
  {
    type,
    wholeBytes = Infinity,
    headers: own,
  }: { type: string; wholeBytes?: number | undefined; headers?: Record<string, string> },
): Response {
  const { size } = source;
  const range = askedRange(c, size);
  const { start, end } = range ?? { start: 0, end: size };
  checkWhole(end - start, wholeBytes);
  const headers = { ...own, "Content-Type": type, "Accept-Ranges": "bytes" };
  const pieces = piecesOf(source, start, end);
  if (range) return answerPart(c, pieces, { ...range, size, headers });
  return answer(c, streamOf(pieces), { ...headers, "Content-Length": String(size) });
}

function answerPart(
  c: Context<AppEnv>,
  pieces: AsyncIterable<Uint8Array>,
  { start, end, size, headers }: Range & { size: number; headers: Record<string, string> },
): Response {
  const place = { "Content-Range": `bytes ${start}-${end - 1}/${size}` };
  const length = { "Content-Length": String(end - start) };
  return answer(c, streamOf(pieces), { ...headers, ...length, ...place }, 206);
}

/** Undefined where all is asked for. */
function askedRange({ req }: Context<AppEnv>, size: number): Range | undefined {
  return req.header("if-range") === undefined ? rangeOf(req.header("range"), size) : undefined;
}

/**
 * The same for bytes that are read from their beginning only. An answer with all of them has no length: `size` may be that of
 * fewer.
 */
export function answerForward(
  c: Context<AppEnv>,
  pieces: AsyncIterable<Uint8Array>,
  { size, type, wholeBytes }: { size: number; type: string; wholeBytes?: number | undefined },
): Response {
  const range = askedRange(c, size);
  checkWhole(range ? range.end - range.start : size, wholeBytes);
  const headers = { "Content-Type": type, "Accept-Ranges": "bytes" };
  return range
    ? answerPart(c, partOf(pieces, range), { ...range, size, headers })
    : answer(c, streamOf(pieces), headers);
}

async function* partOf(
  pieces: AsyncIterable<Uint8Array>,
  { start, end }: Range,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  for await (const piece of pieces) {
    const part = piece.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (part.length > 0) yield part;
    at += piece.length;
    if (at >= end) return;
  }
}

/** Throws `answer_too_large` for more bytes than an answer may have that leaves as a whole. */
export function checkWhole(bytes: number, wholeBytes = Infinity): void {
  if (bytes > wholeBytes)
    throw new NearcastError(
      "answer_too_large",
      `${bytes} bytes are more than the ${wholeBytes} of an answer: ask for parts with Range.`,
    );
}

/** Undefined for no range, and for what is not read here: other units, and several ranges. */
function rangeOf(header: string | undefined, size: number): Range | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? "") ?? [];
  if (first === undefined || last === undefined || first + last === "") return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  if (start < end) return { start, end };
  throw new NearcastError("range_not_satisfiable", `The file has ${size} bytes.`, {
    headers: { "Content-Range": `bytes */${size}` },
  });
}
