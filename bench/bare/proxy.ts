// The least code that has another server answer: `node:http` that passes requests on over connections that stay open.
// It checks nothing, signs nothing, and knows no models. TARGET is the other server's URL.
import { Agent, createServer, request as ask } from "node:http";

const { hostname, port } = new URL(process.env["TARGET"] ?? "");
const agent = new Agent({ keepAlive: true });

const server = createServer((request, response) => {
  const { method, url: path, headers } = request;
  const asked = ask({ hostname, port, method, path, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    answer.pipe(response);
  });
  asked.on("error", () => response.destroy());
  request.pipe(asked);
});
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => {
  const address = server.address();
  if (address && typeof address === "object") console.log(`http://localhost:${address.port}`);
});
