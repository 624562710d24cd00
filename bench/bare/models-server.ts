// The floor of a server's memory: node:http over the sessions of the shipped models. A request names its model;
// its JSON is read, one row is run, the outputs are answered as JSON.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { shippedSessions } from "./shipped-sessions.ts";

const models = new Map((await shippedSessions()).map((model) => [`/${model.name}`, model]));

async function infer(url: string | undefined, text: string): Promise<string> {
  const { inputs } = JSON.parse(text) as { inputs: unknown };
  const model = models.get(url ?? "");
  const results = await model?.session.run(model.feeds);
  const outputs = Object.entries(results ?? {}).map(([name, { dims, data }]) => ({
    name,
    shape: dims,
    data: Array.from(data as ArrayLike<unknown>, (value) =>
      typeof value === "bigint" ? Number(value) : value,
    ),
  }));
  return JSON.stringify({ model: url, batch: Array.isArray(inputs), outputs });
}

const server = createServer((request, response) => {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (chunk: string) => (text += chunk));
  request.on("end", async () => {
    const answer = await infer(request.url, text);
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(answer),
    });
    response.end(answer);
  });
});
server.listen(Number(process.env["PORT"]), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
});
process.once("SIGTERM", () => server.close());
