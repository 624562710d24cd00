import type { Context } from "hono";
import { NearcastError } from "../errors.ts";
import type { Source } from "../inputs/source.ts";
import { answer } from "./answer.ts";
import type { AppEnv } from "./exchange.ts";
import { streamOf } from "./stream-of.ts";

const PIECE_BYTES = 1024 * 1024;

/** The bytes of a file, in pieces. */
export async function* piecesOf(
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
  { type, wholeBytes = Infinity }: { type: string; wholeBytes?: number | undefined },
): Response {
  const { size } = source;
  const range =
    c.req.header("if-range") === undefined ? rangeOf(c.req.header("range"), size) : undefined;
  const { start, end } = range ?? { start: 0, end: size };
  checkWhole(end - start, wholeBytes);
  const headers = { "Content-Type": type, "Accept-Ranges": "bytes" };
  const length = { "Content-Length": String(end - start) };
  const body = streamOf(piecesOf(source, start, end));
  if (!range) return answer(c, body, { ...headers, ...length });
  const place = { "Content-Range": `bytes ${start}-${end - 1}/${size}` };
  return answer(c, body, { ...headers, ...length, ...place }, 206);
}

/** Throws `answer_too_large` for more bytes than an answer may have that leaves as a whole. */
export function checkWhole(bytes: number, wholeBytes = Infinity): void {
  if (bytes > wholeBytes)
    throw new NearcastError(
      "answer_too_large",
      `${bytes} bytes are more than the ${wholeBytes} of an answer: ask for parts of the lines with Range.`,
    );
}

/** Undefined for no range, and for what is not read here: other units, and several ranges. */
function rangeOf(header: string | undefined, size: number) {
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
