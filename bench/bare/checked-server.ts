// The floor of a server that does what the service promises, in the least code: ids, a deadline, bounds for bodies, for JSON,
// for connections and for what waits, checked inputs, ranked scores, phases, metrics, and the same header fields. Its counts
// and its queue for the processor are the service's own. One file for three models, without access, rates, limits of a model,
// other dialects, releases or errors that say where. Requests that ask for more than a prediction are refused.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { CallRecord } from "../../functions/call.ts";
import { createTurns } from "../../functions/load/turns.ts";
import { createMetricCounts, gatherRecords } from "../../functions/observe/metric-counts.ts";
import { microsecondSteps, serverTiming } from "../../functions/observe/phases.ts";
import { createStatistics } from "../../functions/observe/statistics.ts";
import { writeJson } from "../../functions/wire/raw-number.ts";
import {
  answerOf,
  featuresOf,
  idOf,
  ranked,
  readInputs,
  readJson,
  SECURITY_HEADERS,
} from "./checked-iris.ts";
import { sessionOptions } from "./session-options.ts";

interface Answer {
  body: string | Uint8Array;
  headers: Record<string, string>;
}
/** What a request has while it is answered. */
interface Call {
  request: IncomingMessage;
  lap: (phase: string) => void;
  /** Throws when the time is over, or the client gone. */
  check: () => void;
  rows: number;
}
type Work = (body: Buffer, call: Call) => Promise<Answer>;

const MAX_BYTES = 6 * 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_CONCURRENCY = 1000;
const MAX_CONNECTIONS = 10_000;
/** Bodies beyond the first 64 KiB count. */
const [SHORT_BYTES, MAX_HELD_BYTES] = [65_536, 256 * 1024 * 1024];
const TIMEOUT_MS = 30_000;
/** Fields that ask for what only the service has. */
const REFUSED = [
  "transfer-encoding",
  "content-encoding",
  "traceparent",
  "prefer",
  "cache-control",
  "x-request-timeout-ms",
  "x-nearcast-key",
  "x-nearcast-version-override",
  "x-nearcast-webhook",
];
const SHAPE = [1, 3, 224, 224];
const IMAGE_BYTES = SHAPE.reduce((product, size) => product * size, 4);

const now = () => performance.now();
const { running } = createTurns({
  now,
  turnEventLoop: () => setImmediate(),
  maxConcurrency: MAX_CONCURRENCY,
  maxQueueMs: 60_000,
  workers: 0,
  dynamicBatching: new Map(),
});
const gathered = gatherRecords();
createStatistics(gathered.calls);
createMetricCounts(undefined, gathered);

const opened = await Promise.all(
  [
    "models/iris/1/model.onnx",
    "models/sentiment/1/model.onnx",
    "test/fixtures/identity/image/1/model.onnx",
  ].map(async (path) => ({
    session: await InferenceSession.create(path, sessionOptions),
    digest: createHash("sha256").update(readFileSync(path)).digest("hex"),
  })),
);
const [iris, sentiment, identity] = opened as [Opened, Opened, Opened];
type Opened = (typeof opened)[number];

const routes = new Map<string, [model: string, opened: Opened, work: Work]>([
  ["/v1/models/iris/predict", ["iris", iris, json(rows)]],
  ["/v1/models/sentiment/predict", ["sentiment", sentiment, json(texts)]],
  ["/v2/models/image/infer", ["image", identity, image]],
]);
/** The last use of each connection. The oldest would be closed first. */
const connections = new Map<Socket, number>();
let [uses, answering, held] = [0, 0, 0];

const server = createServer({ joinDuplicateHeaders: true }, async (request, response) => {
  const begun = now();
  const { headers, socket } = request;
  // Node gives a request the connection when the answers before it have left. The service lets it wait.
  if (!response.socket) return socket.destroy();
  connections.set(socket, ++uses);
  const [model = "", { digest } = { digest: "" }, work] = routes.get(request.url ?? "") ?? [];
  const declared = Number(headers["content-length"]);
  const id = idOf(headers["x-request-id"]);
  let status = 0;
  const end = (code: number, { body, headers: own }: Answer) => {
    if (status) return;
    status = code;
    response.writeHead(status, {
      "X-Request-Id": id,
      ...SECURITY_HEADERS,
      "X-Model-Name": model,
      "X-Model-Version": "1",
      "X-Model-Digest": `sha256:${digest}`,
      "X-Model-Assignment": "stable",
      ...own,
      "Content-Length": Buffer.byteLength(body),
    });
    response.end(body);
    if (socket.writableLength > 0) response.setTimeout(TIMEOUT_MS, () => socket.destroy());
  };
  const fail = (code: number) => end(code, { body: "{}", headers: {} });
  if (!work) return fail(404);
  if (!(declared <= MAX_BYTES)) return fail(413);
  if (REFUSED.some((name) => headers[name] !== undefined)) return fail(400);
  const bytes = declared > SHORT_BYTES ? declared : 0;
  if (answering >= MAX_CONCURRENCY || (bytes > 0 && held > 0 && held + bytes > MAX_HELD_BYTES))
    return fail(503);
  answering += 1;
  held += bytes;
  const deadline = setTimeout(() => fail(504), TIMEOUT_MS);
  const durations: Record<string, number> = {};
  let last = begun;
  const call: Call = {
    request,
    rows: 0,
    lap(phase) {
      const time = now();
      durations[phase] = microsecondSteps(time - last);
      last = time;
    },
    check() {
      if (now() - begun >= TIMEOUT_MS || response.destroyed) throw new Error("nobody waits");
    },
  };
  const at = Date.now();
  try {
    const body = await read(request, declared);
    call.lap("read");
    running.check();
    const made = await work(body, call);
    if (made.body.length > MAX_ANSWER_BYTES) throw new RangeError("too long");
    const timing = serverTiming(durations) ?? "";
    end(200, { body: made.body, headers: { "Server-Timing": timing, ...made.headers } });
  } catch {
    fail(422);
  }
  clearTimeout(deadline);
  answering -= 1;
  held -= bytes;
  const error: CallRecord["error"] =
    status === 200 ? undefined : { code: "invalid_input", message: String(status) };
  const known = { id, caller: "anonymous", error };
  const record: CallRecord = {
    ...known,
    kind: "predict",
    at,
    model,
    version: "1",
    digest,
    reason: "stable",
    rows: call.rows,
    tokens: undefined,
    pixels: undefined,
    bytes: declared,
    cost: call.rows,
    executed: status === 200,
    durations,
    cache: undefined,
    quota: undefined,
    inputs: undefined,
  };
  gathered.calls.add(record);
  gathered.requests.add({
    ...known,
    trace: undefined,
    method: "POST",
    path: request.url ?? "",
    route: "/v1/models/:model/predict",
    status,
    milliseconds: microsecondSteps(now() - begun),
    cold: false,
    call: record,
  });
});
server.on("connection", (socket) => {
  if (connections.size >= MAX_CONNECTIONS) return socket.destroy();
  connections.set(socket, ++uses);
  socket.once("close", () => connections.delete(socket));
});

function read(request: IncomingMessage, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [first] = chunks;
      resolve(first && chunks.length === 1 ? first : Buffer.concat(chunks, length));
    });
    request.on("error", reject);
  });
}

/** Runs the session when it is its turn. Runs of one turn of the event loop are answered together. */
async function run({ session }: Opened, feeds: Record<string, Tensor>, name: string, call: Call) {
  const turn = running.enter({ check: call.check });
  if (turn) await turn;
  let answers: Promise<void> | undefined;
  let outputs: InferenceSession.OnnxValueMapType;
  try {
    call.check();
    outputs = await session.run(feeds, [name]);
    call.lap("run");
  } finally {
    answers = running.leave();
  }
  call.check();
  if (answers) await answers;
  return outputs[name] as Tensor;
}

function json(answer: (inputs: unknown, call: Call) => Promise<object>): Work {
  return async (body, call) => {
    if (call.request.headers["content-type"] !== "application/json") throw new TypeError("no JSON");
    const answered = writeJson(await answer(readInputs(body), call));
    return { body: answered, headers: { "Content-Type": "application/json" } };
  };
}

async function rows(inputs: unknown, call: Call): Promise<object> {
  const { data, shape } = featuresOf(inputs);
  [call.rows] = shape;
  call.lap("preprocess");
  const feeds = { features: new Tensor("float32", data, shape) };
  const { data: scores } = await run(iris, feeds, "probabilities", call);
  const answer = answerOf(inputs, scores as Float32Array);
  call.lap("postprocess");
  return answer;
}

async function texts(text: unknown, call: Call): Promise<object> {
  if (typeof text !== "string" || text.includes("\0")) throw new TypeError("no text");
  call.rows = 1;
  call.lap("preprocess");
  const feeds = { text: new Tensor("string", [text], [1]) };
  const { data: scores } = await run(sentiment, feeds, "probabilities", call);
  const [outputs] = ranked(scores as Float32Array, ["negative", "positive"]);
  call.lap("postprocess");
  return { model: "sentiment", version: "1", outputs };
}

async function image(body: Buffer, call: Call): Promise<Answer> {
  const length = Number(call.request.headers["inference-header-content-length"]);
  const { inputs, parameters } = readJson(body.subarray(0, length)) as {
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
  call.rows = 1;
  call.lap("preprocess");
  const y = await run(identity, { x: new Tensor("float32", data, SHAPE) }, "y", call);
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
