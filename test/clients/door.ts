import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Target } from "../harness/targets.ts";

/** A port in front of the target: Lambda has none of its own, and an odd header must arrive as it was sent. */
export async function openDoor(target: Target): Promise<{ url: string; close: () => void }> {
  if (target.url)
    return { url: target.url.replace("localhost", "127.0.0.1"), close: () => undefined };
  const server = createServer((request, response) => {
    void forward(target, request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function forward(
  target: Target,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = new Headers();
  const dropped = new Set(["connection", "content-length", "host", "transfer-encoding", "expect"]);
  for (const [name, value] of Object.entries(request.headers))
    if (!dropped.has(name)) headers.set(name, String(value));
  const { method = "GET", url = "/" } = request;
  // fetch refuses to send these.
  if (/^(TRACE|CONNECT|TRACK)$/.test(method)) return void response.writeHead(405).end("{}");
  const body = method === "GET" || method === "HEAD" ? {} : { body: Buffer.concat(chunks) };
  const answer = await target.fetch(url, { method, headers, ...body });
  const bytes = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(bytes);
}
