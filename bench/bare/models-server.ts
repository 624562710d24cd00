// The floor of a server's memory: node:http over the sessions of the shipped models. A request names its model;
// its JSON is read, one row is run, the outputs are answered as JSON.
import { serveJson } from "./serve-json.ts";
import { shippedSessions } from "./shipped-sessions.ts";

const models = new Map((await shippedSessions()).map((model) => [`/${model.name}`, model]));

async function infer(text: string, url: string): Promise<string> {
  const { inputs } = JSON.parse(text) as { inputs: unknown };
  const model = models.get(url);
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

serveJson(infer);
