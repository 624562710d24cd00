// The floor of an HTTP server: node:http, a text in, JSON out; no validation, no routes, no ids.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Serves at `PORT` until SIGTERM, and prints the URL once it listens. */
export function serveJson(answer: (text: string, url: string) => Promise<string>): void {
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("end", async () => {
      const json = await answer(text, request.url ?? "");
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(json),
      });
      response.end(json);
    });
  });
  server.listen(Number(process.env["PORT"]), () => {
    console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
  });
  process.once("SIGTERM", () => server.close());
}
