import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "./read-body.ts";

/** Answers a request of Node's server with what `fetch` gives for its path, such as a function's that has no port. */
export async function answerByFetch(
  fetch: (path: string, init: RequestInit) => Promise<Response>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const sent = await readBody(request);
  if (sent === undefined) return;
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, String(value));
  const body = sent.length > 0 ? new Uint8Array(sent) : null;
  const { method = "GET", url = "/" } = request;
  const answer = await fetch(url, { method, headers, body });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
}
