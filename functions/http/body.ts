import type { Context, HonoRequest } from "hono";
import { concatenate } from "../concatenate.ts";
import { NearcastError } from "../errors.ts";
import type { AppEnv } from "./exchange.ts";

const CODINGS = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate" } as const;

type Coding = "gzip" | "deflate";

/**
 * The body's bytes, decompressed when `Content-Encoding` says gzip or deflate. Rejects with
 * `body_too_large` when they are more than `maxBytes` decompressed, `malformed_request` when they do not
 * decompress, `unsupported_media_type` for any other coding.
 */
export async function readBody(c: Context<AppEnv>, maxBytes: number): Promise<Uint8Array> {
  const body = await readDecoded(c.req, maxBytes);
  const context = c.get("context");
  context.bodyBytes = body.byteLength;
  context.bodyArrived = true;
  return body;
}

/**
 * What a read of the body gives. Rejects with `malformed_request` when the read does: the client went away
 * in the middle, or what it sends is framed wrongly.
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

async function readDecoded(request: HonoRequest, maxBytes: number): Promise<Uint8Array> {
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
