import { concatenate } from "../concatenate.ts";
import { NearcastError } from "../errors.ts";
import type { Deadline } from "../load/deadline.ts";

export type Coding = "gzip" | "deflate";

/** More gzip members than any client sends. An empty member has 20 bytes and takes as long as a page of text. */
const MAX_MEMBERS = 1000;

/** Any body may decompress to this many bytes. An image of zeros compresses to a few hundred bytes. */
const FREE_BYTES = 2 ** 20;

/** Beyond the free bytes, a body may decompress to this many times its length. JSON and CSV reach 3 to 15 times. */
const MOST_EXPANSION = 20;

/** The code of zlib for data that ends too early. */
const Z_BUF_ERROR = -5;

/**
 * Decompresses a gzip or deflate body. It uses pako, because the platforms' own `DecompressionStream`s differ for
 * several members, bytes after the end and cut streams. Reads gzip as in RFC 1952 (any number of members, zeros after
 * the last one), and deflate with zlib's header (RFC 9110, section 8.4.1.2) or without it, as many clients send it.
 * Rejects with `body_too_large` for more than `maxBytes`, or for more than {@link MOST_EXPANSION} times the body's
 * bytes. Rejects with `malformed_request` for data that does not decompress, is cut off, or has other bytes after its
 * end. Rejects as `deadline` does.
 */
export async function decompress(
  body: Uint8Array,
  coding: Coding,
  { maxBytes, deadline }: { maxBytes: number; deadline: Pick<Deadline, "check"> },
): Promise<Uint8Array<ArrayBuffer>> {
  if (coding === "gzip") checkMembers(body);
  const { Inflate } = await import("pako");
  const inflate = new Inflate({ windowBits: windowBits(body, coding) });
  const chunks: Uint8Array[] = [];
  const mostExpanded = Math.max(FREE_BYTES, MOST_EXPANSION * body.byteLength);
  let length = 0;
  let stream: { avail_in: number } | undefined;
  inflate.onStart = (started) => void (stream = started);
  inflate.onData = (chunk) => {
    length += chunk.byteLength;
    if (length > maxBytes)
      throw new NearcastError(
        "body_too_large",
        `The body may have at most ${maxBytes} bytes when it is decompressed.`,
      );
    if (length > mostExpanded)
      throw new NearcastError(
        "body_too_large",
        `The body of ${body.byteLength} bytes has more than ${mostExpanded} when it is decompressed: beyond ${FREE_BYTES} it may have ${MOST_EXPANSION} times its length. Send it without Content-Encoding.`,
      );
    deadline.check();
    chunks.push(chunk);
  };
  inflate.push(body, true);
  if (inflate.err === Z_BUF_ERROR)
    throw malformed(`The ${coding} data of the body ends too early: it is cut off.`);
  if (inflate.err !== 0) throw malformed(`The body is not ${coding} data: ${inflate.msg}.`);
  const after = body.subarray(body.byteLength - (stream?.avail_in ?? 0));
  const allowed = coding === "gzip" && after.every((byte) => byte === 0);
  if (after.byteLength > 0 && !allowed)
    throw malformed(`The body has ${after.byteLength} bytes after the end of its ${coding} data.`);
  return concatenate(chunks);
}

function windowBits([first = 0, second = 0]: Uint8Array, coding: Coding): number {
  if (coding === "gzip") return 31;
  const hasHeader = (first & 15) === 8 && (first * 256 + second) % 31 === 0;
  return hasHeader ? 15 : -15;
}

function checkMembers(body: Uint8Array): void {
  let members = 0;
  for (let at = body.indexOf(0x1f); at !== -1; at = body.indexOf(0x1f, at + 1)) {
    if (body[at + 1] !== 0x8b || body[at + 2] !== 8) continue;
    members += 1;
    if (members > MAX_MEMBERS)
      throw malformed(`The body may have at most ${MAX_MEMBERS} gzip members.`);
  }
}

function malformed(message: string): NearcastError {
  return new NearcastError("malformed_request", message);
}
