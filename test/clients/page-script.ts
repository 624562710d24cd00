// Runs in a page of another origin. Asks the service whose address and key stand after the #, and reports the answers.
import OpenAI from "openai";
import { createClient, NearcastClientError } from "../../client/src/index.ts";

export interface Addressed {
  url: string;
  key: string;
}

async function ask({ url, key }: Addressed): Promise<object> {
  const openai = new OpenAI({
    apiKey: key,
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
  return {
    lengths: data.data.map(({ embedding }) => embedding.length),
    requestId: response.headers.get("x-request-id"),
    models,
    error: unknown instanceof OpenAI.NotFoundError ? unknown.code : String(unknown),
    ...(await askWithClient({ url, key })),
    binary: await askInBinary({ url, key }),
  };
}

/** Each of the client's methods, so that each preflight is asked for. */
async function askWithClient({ url, key }: Addressed): Promise<object> {
  const client = createClient(url, { key });
  const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const predicted = await client.predict("iris", flower, { requestId: "page-1" });
  const vectors = await client.embed("search", ["a red lamp", "candle"], { timeoutMs: 60_000 });
  const ranked = await client.rerank("rank-bert", "great phone", ["a phone", "bread"]);
  const job = await client.jobs.submit("iris", [flower], { id: "page-job" });
  const statuses: string[] = [];
  for await (const { status } of client.jobs.events(job)) statuses.push(status);
  const answered = await client.jobs.wait(job);
  const ended = await client.jobs.cancel(job);
  await client.jobs.remove(job);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const gone: unknown = await client.jobs
    .get(job, { traceparent })
    .catch((error: unknown) => error);
  return {
    predicted: predicted.outputs,
    sizes: vectors.outputs.map(({ length }) => length),
    ranked: ranked.outputs.map(({ document }) => document).toSorted(),
    statuses,
    answered: answered.outputs,
    ended: ended.status,
    gone: gone instanceof NearcastClientError ? [gone.code, gone.traceId] : String(gone),
    feedback: await client.feedback("page-1", "setosa"),
  };
}

/** The Open Inference Protocol with binary tensors and the headers that tracing adds. */
async function askInBinary({ url, key }: Addressed): Promise<number> {
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
      Authorization: `Bearer ${key}`,
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      baggage: "tenant=a",
      "sentry-trace": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
    },
    body: new Blob([head, Float32Array.of(5.1, 3.5, 1.4, 0.2)]),
  });
  const bytes = await response.arrayBuffer();
  return bytes.byteLength - Number(response.headers.get("Inference-Header-Content-Length"));
}

const addressed = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Addressed;
const report = await ask(addressed).catch((error: unknown) => ({
  failed: error instanceof Error ? `${error.stack} ${String(error.cause)}` : String(error),
}));
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
