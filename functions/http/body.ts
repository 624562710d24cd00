import type { Context, HonoRequest } from "hono";
import { NearcastError } from "../errors.ts";
import { decodeText, markedEncoding } from "../wire/text.ts";
import { decompress, type Coding } from "./decompress.ts";
import type { AppEnv } from "./exchange.ts";
import { mediaTypeOf } from "./media-type.ts";

const CODINGS: Readonly<Record<string, Coding>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
};

/** A longer body waits for its turn: to read it takes a part of a millisecond or more. */
const LONG_BYTES = 16 * 1024;

/** Media types whose bytes are not text, or whose parts have their own charsets. */
const NO_TEXT = /^(image\/.*|multipart\/.*|application\/octet-stream)$/;

/** The parts of a platform that reading a body needs. */
export interface BodyOptions {
  /** Most bytes, after decompression. */
  maxBytes: number;
  now: (() => number) | undefined;
}

/**
 * Reads the body's bytes. Decompresses gzip and deflate, and gives text of any charset as UTF-8. Rejects with
 * `body_too_large` when there are more than `maxBytes` after decompression, or far more than arrived. Rejects with
 * `overloaded` when too many other bodies are being read. Rejects with `malformed_request` for bytes that do not
 * decompress or do not fit the charset. Rejects with `unsupported_media_type` for any other coding or charset.
 */
export async function readBody(
  c: Context<AppEnv>,
  { maxBytes, now }: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const start = now?.() ?? 0;
  const { body, sentBytes } = await readDecoded(c, maxBytes);
  c.get("exchange").received = {
    bytes: body.byteLength,
    sentBytes,
    milliseconds: now && now() - start,
  };
  return inUtf8(c.req, body);
}

/** Reads the body as text, in the charset of its `Content-Type` or UTF-8. Rejects as {@link readBody} does. */
export async function readText(c: Context<AppEnv>, options: BodyOptions): Promise<string> {
  return decodeText(await readBody(c, options), { what: "The body" });
}

/** The declared length of the body in bytes. Undefined when it comes in chunks or declares no length. */
export function declaredLength(request: HonoRequest): number | undefined {
  const length = request.header("content-length");
  return length === undefined || request.header("transfer-encoding") ? undefined : Number(length);
}

/** Converts a text of another charset to UTF-8, so that every dialect can read it. */
function inUtf8(request: HonoRequest, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { type, parameters } = mediaTypeOf(request);
  const { charset } = parameters;
  const isUtf8 = !charset || /^utf-?8$/i.test(charset);
  if (isUtf8 && markedEncoding(body) === undefined) return body;
  // In a binary request, the bytes after the JSON are not text.
  const isBinary = request.header("inference-header-content-length") !== undefined;
  if (isBinary || NO_TEXT.test(type)) return body;
  return new TextEncoder().encode(
    decodeText(body, { what: "The body", charset: charset || "utf-8" }),
  );
}

/**
 * Waits for a read of the body. Rejects with `malformed_request` when the read fails because the client went away or
 * the body's framing is wrong.
 */
export async function arrived<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (cause) {
    throw cause instanceof NearcastError
      ? cause
      : new NearcastError("malformed_request", "The body did not arrive whole.", { cause });
  }
}

async function readDecoded(c: Context<AppEnv>, maxBytes: number) {
  const { req: request } = c;
  const named = request.header("content-encoding")?.trim().toLowerCase();
  const sent = new Uint8Array(await arrived(request.arrayBuffer()));
  const sentBytes = sent.byteLength;
  const { deadline, transfer } = c.get("exchange");
  if (transfer && (named || sentBytes > LONG_BYTES)) {
    await transfer.read();
    deadline.check();
  }
  if (!named || named === "identity") return { body: sent, sentBytes };
  const coding = Object.hasOwn(CODINGS, named) ? CODINGS[named] : undefined;
  if (!coding)
    throw new NearcastError(
      "unsupported_media_type",
      "The Content-Encoding must be gzip or deflate, or absent.",
      { headers: { "Accept-Encoding": "gzip, deflate" } },
    );
  return { body: await decompress(sent, coding, { maxBytes, deadline }), sentBytes };
}
