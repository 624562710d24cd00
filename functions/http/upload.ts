import type { HonoRequest } from "hono";

/** Paths whose bodies may be whole files, which are stored in parts while they arrive. */
const PATHS = /\/v1\/(batches(\/[^/]+)?|files)\/?$/;

/** Whether the request's body is a file. Limits of bodies that are held in memory are not its limits. */
export function isUpload(request: HonoRequest): boolean {
  const { method } = request;
  if ((method !== "POST" && method !== "PUT") || !PATHS.test(request.path)) return false;
  return !/^application\/json\b/i.test(request.header("content-type") ?? "application/json");
}

/** The body's bytes as they arrive. */
export async function* bytesOf(request: HonoRequest): AsyncGenerator<Uint8Array> {
  const reader = request.raw.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // What was refused need not arrive whole.
    await reader.cancel().catch(() => {});
  }
}
