import type { IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

/** The body, or nothing when the client left while it sent, such as a process that was killed. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  try {
    return await buffer(request);
  } catch (error) {
    if (request.destroyed && !request.complete) return undefined;
    throw error;
  }
}
