import type { Context, HonoRequest } from "hono";
import { concatenate } from "../concatenate.ts";
import { NearcastError } from "../errors.ts";
import type { AppEnv } from "./exchange.ts";

const CODINGS = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate" } as const;

type Coding = "gzip" | "deflate";

/** What body.ts needs of a platform. */
export interface BodyOptions {
  /** Most bytes, after decompression. */
  maxBytes: number;
  now: (() => number) | undefined;
}

/**
 * The body's bytes, decompressed when `Content-Encoding` is gzip or deflate. Rejects with `body_too_large` for
 * more than `maxBytes` after decompression, with `malformed_request` for bytes that do not decompress, and with
 * `unsupported_media_type` for any other coding.
 */
export function readBody(
  c: Context<AppEnv>,
  { maxBytes, now }: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return receive(c, now, () => readDecoded(c.req, maxBytes), byteLengthOf);
}

/** The body as text. Reads it straight from the platform's stream when it is not compressed. */
export function readText(c: Context<AppEnv>, options: BodyOptions): Promise<string> {
  const length = declaredLength(c.req);
  if (length === undefined || c.req.header("content-encoding") !== undefined)
    return readBody(c, options).then((bytes) => new TextDecoder().decode(bytes));
  return receive(
    c,
    options.now,
    () => arrived(c.req.text()),
    () => length,
  );
}

/** The declared length of the body in bytes. Undefined where it comes in chunks, or declares none. */
export function declaredLength(request: HonoRequest): number | undefined {
  const length = request.header("content-length");
  return length === undefined || request.header("transfer-encoding") ? undefined : Number(length);
}

async function receive<T>(
  c: Context<AppEnv>,
  now: (() => number) | undefined,
  read: () => Promise<T>,
  bytesOf: (body: T) => number,
): Promise<T> {
  const start = now?.() ?? 0;
  const body = await read();
  c.get("exchange").received = { bytes: bytesOf(body), milliseconds: now && now() - start };
  return body;
}

function byteLengthOf({ byteLength }: Uint8Array): number {
  return byteLength;
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

async function readDecoded(
  request: HonoRequest,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const named = request.header("content-encoding")?.trim().toLowerCase();
  const body = await arrived(request.arrayBuffer());
  if (!named || named === "identity") return new Uint8Array(body);
  if (!Object.hasOwn(CODINGS, named))
    throw new NearcastError(
      "unsupported_media_type",
      "The Content-Encoding must be gzip or deflate, or absent.",
      { headers: { "Accept-Encoding": "gzip, deflate" } },
    );
  return decompress(body, CODINGS[named as keyof typeof CODINGS], maxBytes);
}

async function decompress(body: ArrayBuffer, coding: Coding, maxBytes: number) {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream(coding));
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.byteLength;
      if (length > maxBytes)
        throw new NearcastError(
          "body_too_large",
          `The body may have at most ${maxBytes} bytes when it is decompressed.`,
        );
      chunks.push(next.value);
    }
  } catch (cause) {
    await reader.cancel().catch(() => undefined);
    if (cause instanceof NearcastError) throw cause;
    throw new NearcastError("malformed_request", `The body is not ${coding} data.`, { cause });
  }
  return concatenate(chunks);
}
