// The floor of a server that does what the service promises, in the least code: ids, a deadline, a bound for bodies, checked
// inputs, ranked scores, phases, counts, and the same header fields. One file for three models, without access, rates,
// limits of a model, other dialects, releases or errors that say where. Bodies as the service takes them.
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { sessionOptions } from "./session-options.ts";

interface Answer {
  body: string | Uint8Array;
  headers: Record<string, string>;
}
type Work = (
  body: Buffer,
  request: IncomingMessage,
  lap: (phase: string) => void,
) => Promise<Answer>;

const MAX_BYTES = 6 * 1024 * 1024;
const MAX_ROWS = 1000;
const TIMEOUT_MS = 30_000;
const FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"];
const MOST = 20;
const SHAPE = [1, 3, 224, 224];
const IMAGE_BYTES = SHAPE.reduce((product, size) => product * size, 4);
const open = (path: string) => InferenceSession.create(path, sessionOptions);
const iris = await open("models/iris/1/model.onnx");
const sentiment = await open("models/sentiment/1/model.onnx");
const identity = await open("test/fixtures/identity/image/1/model.onnx");

const routes = new Map<string, [model: string, work: Work]>([
  ["/v1/models/iris/predict", ["iris", json(rows)]],
  ["/v1/models/sentiment/predict", ["sentiment", json(texts)]],
  ["/v2/models/image/infer", ["image", image]],
]);
const counts = new Map<string, { calls: number; milliseconds: number }>();

const server = createServer(async (request, response) => {
  const begun = performance.now();
  const [model, work] = routes.get(request.url ?? "") ?? [];
  const declared = Number(request.headers["content-length"]);
  const given = request.headers["x-request-id"];
  const id = typeof given === "string" && /^[\w=-]{1,255}$/.test(given) ? given : randomUUID();
  const end = (status: number, { body, headers }: Answer) => {
    response.writeHead(status, {
      "X-Request-Id": id,
      "Cache-Control": "no-store",
      "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
      "Strict-Transport-Security": "max-age=31536000",
      "X-Content-Type-Options": "nosniff",
      "X-Model-Name": model,
      "X-Model-Version": "1",
      ...headers,
      "Content-Length": Buffer.byteLength(body),
    });
    response.end(body);
  };
  const fail = (status: number) => end(status, { body: "{}", headers: {} });
  if (!model || !work) return fail(404);
  if (!(declared <= MAX_BYTES)) return fail(413);
  const deadline = setTimeout(() => fail(504), TIMEOUT_MS);
  const phases: string[] = [];
  let last = begun;
  const lap = (phase: string) => {
    const now = performance.now();
    phases.push(`${phase};dur=${(now - last).toFixed(3)}`);
    last = now;
  };
  try {
    const body = await read(request, declared);
    lap("read");
    const { body: made, headers } = await work(body, request, lap);
    end(200, { body: made, headers: { "Server-Timing": phases.join(", "), ...headers } });
  } catch {
    fail(422);
  }
  clearTimeout(deadline);
  const count = counts.get(model) ?? { calls: 0, milliseconds: 0 };
  counts.set(model, count);
  count.calls += 1;
  count.milliseconds += performance.now() - begun;
});

async function read(request: IncomingMessage, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length);
}

function json(answer: (inputs: unknown, lap: (phase: string) => void) => Promise<object>): Work {
  return async (body, _request, lap) => {
    const { inputs } = JSON.parse(body.toString("utf8")) as { inputs: unknown };
    const answered = JSON.stringify(await answer(inputs, lap));
    return { body: answered, headers: { "Content-Type": "application/json" } };
  };
}

async function rows(inputs: unknown, lap: (phase: string) => void): Promise<object> {
  const all = Array.isArray(inputs) ? (inputs as unknown[]) : [inputs];
  if (all.length === 0 || all.length > MAX_ROWS) throw new RangeError("too many rows");
  const data = new Float32Array(all.length * FEATURES.length);
  let next = 0;
  for (const row of all as Record<string, unknown>[]) {
    if (typeof row !== "object" || row === null) throw new TypeError("no row");
    if (Object.keys(row).length !== FEATURES.length) throw new TypeError("other features");
    for (const name of FEATURES) {
      const value = row[name];
      if (typeof value !== "number" || !(value >= 0 && value <= MOST)) throw new TypeError(name);
      data[next++] = value;
    }
  }
  lap("preprocess");
  const feeds = { features: new Tensor("float32", data, [all.length, FEATURES.length]) };
  const { probabilities } = await iris.run(feeds, ["probabilities"]);
  lap("run");
  const outputs = ranked(probabilities?.data as Float32Array, [
    "setosa",
    "versicolor",
    "virginica",
  ]);
  lap("postprocess");
  return { model: "iris", version: "1", outputs: Array.isArray(inputs) ? outputs : outputs[0] };
}

async function texts(text: unknown, lap: (phase: string) => void): Promise<object> {
  if (typeof text !== "string" || text.includes("\0")) throw new TypeError("no text");
  lap("preprocess");
  const feeds = { text: new Tensor("string", [text], [1]) };
  const { probabilities } = await sentiment.run(feeds, ["probabilities"]);
  lap("run");
  const [outputs] = ranked(probabilities?.data as Float32Array, ["negative", "positive"]);
  return { model: "sentiment", version: "1", outputs };
}

/** The labels of each row with their scores, the highest first. */
function ranked(data: Float32Array, labels: string[]): object[] {
  const answers: object[] = [];
  for (let from = 0; from < data.length; from += labels.length) {
    const row = labels.map((label, index) => ({ label, score: data[from + index] ?? NaN }));
    row.sort((one, other) => other.score - one.score);
    const scores: Record<string, number> = {};
    for (const { label, score } of row) scores[label] = score;
    answers.push({ ...row[0], scores });
  }
  return answers;
}

async function image(
  body: Buffer,
  { headers }: IncomingMessage,
  lap: (phase: string) => void,
): Promise<Answer> {
  const length = Number(headers["inference-header-content-length"]);
  const { inputs, parameters } = JSON.parse(body.toString("utf8", 0, length)) as {
    inputs: { name: string; datatype: string; shape: number[]; parameters: object }[];
    parameters: { binary_data_output: boolean };
  };
  const [input] = inputs;
  const isRight =
    parameters.binary_data_output &&
    input?.name === "x" &&
    input.datatype === "FP32" &&
    input.shape.join() === SHAPE.join() &&
    body.byteLength - length === IMAGE_BYTES;
  if (!isRight) throw new TypeError("another tensor");
  const aligned = new Uint8Array(body.buffer, body.byteOffset + (length & ~3), IMAGE_BYTES);
  aligned.set(body.subarray(length));
  const data = new Float32Array(aligned.buffer, aligned.byteOffset, IMAGE_BYTES / 4);
  const tensor: Tensor = new Tensor("float32", data, SHAPE);
  lap("preprocess");
  const { y = tensor } = await identity.run({ x: tensor }, ["y"]);
  lap("run");
  const { buffer, byteOffset, byteLength } = y.data as Float32Array;
  const outputs = [
    { name: "y", datatype: "FP32", shape: SHAPE, parameters: { binary_data_size: byteLength } },
  ];
  const head = Buffer.from(JSON.stringify({ model_name: "image", model_version: "1", outputs }));
  return {
    body: Buffer.concat([head, new Uint8Array(buffer, byteOffset, byteLength)]),
    headers: {
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(head.byteLength),
    },
  };
}

server.listen(Number(process.env["PORT"]), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
});
process.once("SIGTERM", () => server.close());
