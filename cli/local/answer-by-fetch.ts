import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers a request of Node's server with what `fetch` gives for its path, such as a function's that has no port. */
export async function answerByFetch(
  fetch: (path: string, init: RequestInit) => Promise<Response>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, String(value));
  const body = chunks.length > 0 ? Buffer.concat(chunks) : null;
  const { method = "GET", url = "/" } = request;
  const answer = await fetch(url, { method, headers, body });
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
}
