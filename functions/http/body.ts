import type { Context, HonoRequest } from "hono";
import { invalidCredentials } from "../auth/refusals.ts";
import { digest } from "../digest.ts";
import { NearcastError } from "../errors.ts";
import { giveBack } from "../give-back.ts";
import { decodeText, markedEncoding } from "../wire/text.ts";
import { decompress, type Coding } from "./decompress.ts";
import { mayForward, type AppEnv } from "./exchange.ts";
import { mediaTypeOf } from "./media-type.ts";

const CODINGS: Readonly<Record<string, Coding>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
};

/** A longer body waits for its turn: to read it takes a part of a millisecond or more. */
const LONG_BYTES = 16 * 1024;

/** So many bytes take milliseconds to decompress, to parse and to check. */
const LARGE_BYTES = 256 * 1024;

/** Media types whose bytes are not text, or whose parts have their own charsets. */
const NO_TEXT =
  /^((image|audio)\/.*|multipart\/.*|application\/(octet-stream|proto|grpc(-web)?(\+(proto|json))?))$/;

/** The parts of a platform that reading a body needs. */
export interface BodyOptions {
  /** Most bytes, after decompression. */
  maxBytes: number;
  now: (() => number) | undefined;
}

/**
 * Reads the body's bytes, which must not be changed where the request may be forwarded. Decompresses gzip and deflate, and gives text of any charset as UTF-8. Rejects with
 * `body_too_large` when there are more than `maxBytes` after decompression, or far more than arrived. Rejects with
 * `overloaded` when too many other bodies are being read. Rejects with `malformed_request` for bytes that do not
 * decompress or do not fit the charset. Rejects with `unsupported_media_type` for any other coding or charset.
 */
export async function readBody(
  c: Context<AppEnv>,
  { maxBytes, now }: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const start = now?.() ?? 0;
  const exchange = c.get("exchange");
  const { deadline, transfer } = exchange;
  let body: Uint8Array<ArrayBuffer>;
  try {
    const arriving = readDirectly(c);
    body = arriving ? await arriving : new Uint8Array(await c.req.arrayBuffer());
  } catch (cause) {
    throw notWhole(cause);
  }
  if (exchange.spilled && (await digest(body)) !== exchange.spilled.body)
    throw invalidCredentials("The body is not the one that was signed.");
  exchange.body = body;
  const sentBytes = body.byteLength;
  const coding = codingOf(c.req);
  if (coding) body = await decompressInTurn(c, body, coding, maxBytes);
  else if (transfer && sentBytes > LONG_BYTES) {
    await transfer.read();
    deadline.check();
  }
  exchange.received = {
    bytes: body.byteLength,
    sentBytes,
    milliseconds: now && now() - start,
  };
  return inUtf8(c.req, body);
}

/** Frees the memory of a body that nobody reads any more. What an app around this one may read, or the region, stays. */
export function giveBackBody(c: Context<AppEnv>): void {
  const { body, wrapped } = c.get("exchange");
  if (body && !wrapped && !mayForward(c)) giveBack(body);
}

/** Decompresses a body, or a message in it, when it is its turn. Rejects as {@link readBody} does. */
export async function decompressInTurn(
  c: Context<AppEnv>,
  bytes: Uint8Array,
  coding: Coding,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { deadline, transfer } = c.get("exchange");
  if (transfer) {
    await transfer.read();
    deadline.check();
  }
  const whole = await decompress(bytes, coding, { maxBytes, deadline });
  await letOthersGo(c, whole);
  return whole;
}

/** Lets others go between two steps with a large body, each of which takes long. */
export async function letOthersGo(c: Context<AppEnv>, { byteLength }: Uint8Array): Promise<void> {
  const { deadline, transfer } = c.get("exchange");
  if (!transfer || byteLength <= LARGE_BYTES) return;
  await transfer.goOn();
  deadline.check();
}

/**
 * The bytes straight from the connection. Undefined where the request must be read: an app around this one may read it
 * too, and the middleware that counts bytes has read those without a length.
 */
function readDirectly(c: Context<AppEnv>): Promise<Uint8Array<ArrayBuffer>> | undefined {
  const { readConnection, wrapped } = c.get("exchange");
  if (!readConnection || wrapped || declaredLength(c) === undefined) return undefined;
  return readConnection(c.env, c.req.raw);
}

/** The text of a body that {@link readBody} gave. Throws as {@link decodeText} does. */
export function textOf(body: Uint8Array): string {
  return decodeText(body, { what: "The body" });
}

/** The declared length of the body in bytes. Undefined when it comes in chunks or declares no length. */
export function declaredLength(c: Context<AppEnv>): number | undefined {
  const exchange = c.get("exchange");
  if (exchange.declaredLength === undefined) {
    const length = c.req.header("content-length");
    const isDeclared = length !== undefined && !c.req.header("transfer-encoding");
    exchange.declaredLength = isDeclared ? Number(length) : null;
  }
  return exchange.declaredLength ?? undefined;
}

/** Converts a text of another charset to UTF-8, so that every dialect can read it. */
function inUtf8(request: HonoRequest, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { type, parameters } = mediaTypeOf(request);
  const { charset } = parameters;
  const isUtf8 = !charset || /^utf-?8$/i.test(charset);
  if (isUtf8 && markedEncoding(body) === undefined) return body;
  // In a binary request, the bytes after the JSON are not text.
  if (hasBinary(request) || NO_TEXT.test(type)) return body;
  return new TextEncoder().encode(
    decodeText(body, { what: "The body", charset: charset || "utf-8" }),
  );
}

function hasBinary(request: HonoRequest): boolean {
  return request.header("inference-header-content-length") !== undefined;
}

/** What a failed read of the body means: the client went away in the middle, or its framing is wrong. */
export function notWhole(cause: unknown): NearcastError {
  return cause instanceof NearcastError
    ? cause
    : new NearcastError("malformed_request", "The body did not arrive whole.", { cause });
}

/** Undefined where the body is as it was sent. */
function codingOf(request: HonoRequest): Coding | undefined {
  const named = request.header("content-encoding")?.trim().toLowerCase();
  if (!named || named === "identity") return undefined;
  if (Object.hasOwn(CODINGS, named)) return CODINGS[named];
  throw new NearcastError(
    "unsupported_media_type",
    "The Content-Encoding must be gzip or deflate, or absent.",
    { headers: { "Accept-Encoding": "gzip, deflate" } },
  );
}
