// The floor of a server's memory: node:http over the sessions of the shipped models, tensors as JSON in the
// Open Inference Protocol's form in, the outputs as JSON out.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { sessionOptions } from "./session-options.ts";

interface Body {
  inputs: { name: string; datatype: string; shape: number[]; data: number[] | string[] }[];
}

const sessions = new Map<string, InferenceSession>();
for (const model of ["iris", "sentiment", "digits"])
  sessions.set(
    `/${model}`,
    await InferenceSession.create(`models/${model}/1/model.onnx`, sessionOptions),
  );

async function infer(url: string | undefined, text: string): Promise<string> {
  const { inputs } = JSON.parse(text) as Body;
  const feeds = inputs.map(({ name, datatype, shape, data }) => [
    name,
    datatype === "BYTES"
      ? new Tensor("string", data as string[], shape)
      : new Tensor("float32", Float32Array.from(data as number[]), shape),
  ]);
  const results = await sessions.get(url ?? "")?.run(Object.fromEntries(feeds));
  const outputs = Object.entries(results ?? {}).map(([name, { dims, data }]) => ({
    name,
    shape: dims,
    data: Array.from(data as ArrayLike<unknown>, (value) =>
      typeof value === "bigint" ? Number(value) : value,
    ),
  }));
  return JSON.stringify({ outputs });
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
