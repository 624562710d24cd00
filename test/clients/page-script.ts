// Runs in a page of another origin. Asks the service whose address stands after the #, and reports the answers.
import OpenAI from "openai";
import { createClient } from "../../client/src/index.ts";

async function ask(url: string): Promise<object> {
  const openai = new OpenAI({
    apiKey: "none",
    baseURL: `${url}/v1`,
    organization: "org",
    project: "shop",
    dangerouslyAllowBrowser: true,
    maxRetries: 1,
  });
  const request = { model: "search", input: ["a red lamp", "candle"] };
  const { data, response } = await openai.embeddings.create(request).withResponse();
  const models = [];
  for await (const model of openai.models.list()) models.push(model.id);
  const unknown: unknown = await openai.embeddings
    .create({ ...request, model: "nothing" })
    .catch((error: unknown) => error);
  const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const predicted = await createClient(url).predict("iris", flower);
  return {
    lengths: data.data.map(({ embedding }) => embedding.length),
    requestId: response.headers.get("x-request-id"),
    models,
    error: unknown instanceof OpenAI.NotFoundError ? unknown.code : String(unknown),
    predicted: predicted.outputs,
    binary: await askInBinary(url),
  };
}

/** The Open Inference Protocol with binary tensors and the headers that tracing adds. */
async function askInBinary(url: string): Promise<number> {
  const tensor = { name: "features", shape: [1, 4], datatype: "FP32" };
  const head = new TextEncoder().encode(
    JSON.stringify({
      inputs: [{ ...tensor, parameters: { binary_data_size: 16 } }],
      parameters: { binary_data_output: true },
    }),
  );
  const response = await fetch(`${url}/v2/models/iris/infer`, {
    method: "POST",
    headers: {
      "Inference-Header-Content-Length": String(head.length),
      "Content-Type": "application/octet-stream",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      baggage: "tenant=a",
      "sentry-trace": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    },
    body: new Blob([head, Float32Array.of(5.1, 3.5, 1.4, 0.2)]),
  });
  const bytes = await response.arrayBuffer();
  return bytes.byteLength - Number(response.headers.get("Inference-Header-Content-Length"));
}

const report = await ask(location.hash.slice(1)).catch((error: unknown) => ({
  failed: error instanceof Error ? `${error.stack} ${String(error.cause)}` : String(error),
}));
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
