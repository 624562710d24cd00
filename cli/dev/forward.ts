import { request as ask, type IncomingMessage, type ServerResponse } from "node:http";

/** Passes a request on to another server on this machine, and its answer back. */
export function forward(port: number) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url, headers } = request;
    const options = { host: "127.0.0.1", port, method, path: url, headers, agent: false as const };
    const asked = ask(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders);
      answer.pipe(response);
    });
    asked.on("error", (error) => {
      if (response.headersSent) response.destroy();
      else {
        response.writeHead(502, { "Content-Type": "text/plain" });
        response.end(`The service did not answer: ${error.message}\n`);
      }
    });
    response.on("close", () => asked.destroy());
    request.pipe(asked);
  };
}
