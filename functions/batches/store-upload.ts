import { digest } from "../digest.ts";
import { NearcastError } from "../errors.ts";
import type { BatchInput } from "./batch.ts";

/** An upload is stored in parts of so many bytes. */
const PART_BYTES = 4 * 1024 * 1024;
/** Clocks of two instances may differ by less. */
const CLOCKS_DIFFER_MS = 3_600_000;

/** An upload that has not ended so long after its beginning never will, whoever's clock says so. */
export function longestUploadMs({ jobTimeoutMs }: { jobTimeoutMs: number }): number {
  return 2 * jobTimeoutMs + CLOCKS_DIFFER_MS;
}

/**
 * Gives an upload's parts to `write` while it arrives, and digests it. Only digests it where `write` is absent. Rejects
 * with `body_too_large` and, for no bytes, with `malformed_request`.
 */
export async function storeUpload(
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
  write?: (what: string, part: Uint8Array) => Promise<unknown>,
): Promise<{ input: BatchInput; digest: string }> {
  const parts = `part-${crypto.randomUUID()}`;
  const digests: string[] = [];
  const held = new Uint8Array(PART_BYTES);
  let [size, used] = [0, 0];
  async function flush(): Promise<void> {
    const part = held.slice(0, used);
    await write?.(`${parts}-${digests.length}`, part);
    digests.push(await digest(part));
    used = 0;
  }
  for await (const piece of pieces)
    for (let at = 0; at < piece.length;) {
      const count = Math.min(piece.length - at, PART_BYTES - used);
      held.set(piece.subarray(at, at + count), used);
      [used, at, size] = [used + count, at + count, size + count];
      if (size > maxBytes)
        throw new NearcastError("body_too_large", `A file may have at most ${maxBytes} bytes.`);
      if (used === PART_BYTES) await flush();
    }
  if (used > 0) await flush();
  if (size === 0) throw new NearcastError("malformed_request", "The file is empty.");
  const whole = await digest(new TextEncoder().encode(digests.join("\n")));
  return { input: { parts, size, partBytes: PART_BYTES }, digest: whole };
}
