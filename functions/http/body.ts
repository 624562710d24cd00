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

/** Media types whose bytes are no text, or whose parts have charsets of their own. */
const NO_TEXT = /^(image\/.*|multipart\/.*|application\/octet-stream)$/;

/** What body.ts needs of a platform. */
export interface BodyOptions {
  /** Most bytes, after decompression. */
  maxBytes: number;
  now: (() => number) | undefined;
}

/**
 * The body's bytes, decompressed when `Content-Encoding` is gzip or deflate, and a text's in UTF-8 whatever its
 * charset. Rejects with `body_too_large` for more than `maxBytes` after decompression or for far more than
 * came, with `overloaded` when too many others are being read, with `malformed_request` for bytes that do not decompress or are not of the charset, and with
 * `unsupported_media_type` for any other coding or charset.
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

/** The body as text, by the charset of its `Content-Type`, or UTF-8. Rejects as {@link readBody} does. */
export async function readText(c: Context<AppEnv>, options: BodyOptions): Promise<string> {
  return decodeText(await readBody(c, options), { what: "The body" });
}

/** The declared length of the body in bytes. Undefined where it comes in chunks, or declares none. */
export function declaredLength(request: HonoRequest): number | undefined {
  const length = request.header("content-length");
  return length === undefined || request.header("transfer-encoding") ? undefined : Number(length);
}

/** The body of a text in another charset than UTF-8 in UTF-8, so that every dialect reads it. */
function inUtf8(request: HonoRequest, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { type, parameters } = mediaTypeOf(request);
  const { charset } = parameters;
  const isUtf8 = !charset || /^utf-?8$/i.test(charset);
  if (isUtf8 && markedEncoding(body) === undefined) return body;
  // What follows the JSON of a binary request is no text.
  const isBinary = request.header("inference-header-content-length") !== undefined;
  if (isBinary || NO_TEXT.test(type)) return body;
  return new TextEncoder().encode(
    decodeText(body, { what: "The body", charset: charset || "utf-8" }),
  );
}

/**
 * Waits for a read of the body. Rejects with `malformed_request` when the read fails: the client went away in
 * the middle, or its framing is wrong.
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
