import { concatenate } from "./concatenate.ts";

/** A stream or file has more bytes than allowed. */
export class TooManyBytes extends Error {
  constructor(what: string, maxBytes: number) {
    super(`${what} has more than the ${maxBytes} bytes that it may have`);
  }
}

/**
 * Reads the bytes of a stream. As soon as there are more than `maxBytes`, cancels the stream and rejects with {@link
 * TooManyBytes}. A stream that never ends must not fill the memory.
 */
export async function readAtMost(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop cancels the stream.
  for await (const part of stream) {
    bytes += part.byteLength;
    if (bytes > maxBytes) throw new TooManyBytes(what, maxBytes);
    parts.push(part);
  }
  return concatenate(parts);
}
