// The floor of tensors over HTTP: node:http, a tensor's bytes in, one run, the answer's bytes out.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { tensorWorkload, type TensorCase } from "../tensor-requests.ts";
import { sessionOptions } from "./session-options.ts";

const models = { image: await open("image"), iris: await open("iris") };

async function open(name: TensorCase) {
  const { input, output, shape, artifact } = await tensorWorkload(name);
  const session = await InferenceSession.create(artifact, sessionOptions);
  return async (body: Buffer): Promise<Float32Array> => {
    const data = new Float32Array(body.buffer, body.byteOffset, body.byteLength / 4);
    const results = await session.run({ [input]: new Tensor("float32", data, shape) }, [output]);
    return results[output]?.data as Float32Array;
  };
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", async () => {
    const body = Buffer.alloc(Number(request.headers["content-length"]));
    let offset = 0;
    for (const chunk of chunks) offset += chunk.copy(body, offset);
    const run = request.url === "/image" ? models.image : models.iris;
    const { buffer, byteOffset, byteLength } = await run(body);
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": byteLength,
    });
    response.end(new Uint8Array(buffer, byteOffset, byteLength));
  });
});
server.listen(Number(process.env["PORT"]), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
});
process.once("SIGTERM", () => server.close());
