import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerByFetch } from "../../cli/local/answer-by-fetch.ts";
import type { Target } from "../harness/targets.ts";

/** A port in front of the target. Lambda has no port, and an odd header must arrive as it was sent. */
export async function openDoor(target: Target): Promise<{ url: string; close: () => void }> {
  if (target.url)
    return { url: target.url.replace("localhost", "127.0.0.1"), close: () => undefined };
  const server = createServer((request, response) => {
    // fetch refuses to send these.
    if (/^(TRACE|CONNECT|TRACK)$/.test(request.method ?? "")) response.writeHead(405).end("{}");
    else void answerByFetch(target.fetch, request, response);
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
