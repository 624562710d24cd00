import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A secret of webhooks, of one letter. */
export const secretOf = (letter: string) =>
  `whsec_${Buffer.from(letter.repeat(32)).toString("base64")}`;

/** A request that a receiver got. */
export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/**
 * A receiver of webhooks on this machine. It answers with the given statuses one after the other, then with 204, or as
 * `respond` does.
 */
export async function startReceiver({
  statuses = [],
  headers = {},
  respond,
}: {
  statuses?: number[];
  headers?: Record<string, string>;
  respond?: RequestListener;
} = {}) {
  const received: Received[] = [];
  const left = [...statuses];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      received.push({ headers: request.headers, body });
      if (respond) return respond(request, response);
      return response.writeHead(left.shift() ?? 204, headers).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    received,
    port,
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/hooks?of=mine`,
  };
}
