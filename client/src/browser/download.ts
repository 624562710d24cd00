import { errorOf, NearcastClientError } from "../error.ts";

/** Lambda's answers have at most 4.5 MB. */
export const PART_BYTES = 4 * 1024 * 1024;
/** The longest wait for one part, so that a connection that stands still is given up. */
const PART_TIMEOUT_MS = 60_000;

export interface Download {
  url: URL;
  /** How long the file is. */
  bytes: number;
  send: (url: string, init: RequestInit) => Promise<Response>;
  headers: Headers;
  signal: AbortSignal;
  /** A longer file comes in parts of so many bytes. Whole when absent: many hosts know no parts. */
  partBytes?: number;
}

/**
 * Fetches a file. Never takes more bytes than it has. Rejects with {@link NearcastClientError}, or
 * with the signal's reason.
 */
export async function download(of: Download): Promise<Uint8Array<ArrayBuffer>> {
  const made = new Uint8Array(of.bytes);
  const { bytes, partBytes = bytes } = of;
  for (let at = 0; at < bytes; at += partBytes)
    await readPart(of, made.subarray(at, at + partBytes), at);
  return made;
}

async function readPart(
  { url, bytes, send, headers: own, signal }: Download,
  part: Uint8Array,
  at: number,
): Promise<void> {
  const headers = new Headers(own);
  const isWhole = part.length === bytes;
  if (!isWhole) headers.set("Range", `bytes=${at}-${at + part.length - 1}`);
  const stop = new AbortController();
  const follow = () => stop.abort(signal.reason);
  signal.addEventListener("abort", follow);
  const timer = setTimeout(
    () => stop.abort(new NearcastClientError("timeout", `${url.href} arrives too slowly.`)),
    PART_TIMEOUT_MS,
  );
  try {
    signal.throwIfAborted();
    // The page keeps the file itself, by its digest.
    const init: RequestInit = { headers, cache: "no-store", signal: stop.signal };
    const response = await send(url.href, init);
    if (!response.ok) throw errorOf(response, await response.json().catch(() => undefined));
    if (response.status !== (isWhole ? 200 : 206)) throw errorOf(response, undefined);
    await fill(part, response, url);
  } catch (cause) {
    stop.signal.throwIfAborted();
    if (cause instanceof NearcastClientError) throw cause;
    throw new NearcastClientError("network", `No answer from ${url.origin}: ${String(cause)}`, {
      cause,
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", follow);
    stop.abort();
  }
}

async function fill(part: Uint8Array, response: Response, url: URL): Promise<void> {
  const reader = response.body?.getReader();
  let filled = 0;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || !value) break;
    if (filled + value.length > part.length) filled = Infinity;
    if (filled === Infinity) break;
    part.set(value, filled);
    filled += value.length;
  }
  if (filled !== part.length)
    throw new NearcastClientError("model_corrupt", `${url.href} does not have the right length.`);
}
