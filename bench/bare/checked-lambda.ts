// The floor of a function that does what the service promises, in the least code: the release, its manifest and the artifact
// whose digest that has, an id, a deadline, checked inputs, ranked scores, phases, header fields, and a line for the log and
// one for CloudWatch's metrics. One model and one kind of event.
import { createHash } from "node:crypto";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { writeJson } from "../../functions/wire/raw-number.ts";
import { answerOf, featuresOf, idOf, readInputs, SECURITY_HEADERS } from "./checked-iris.ts";
import { sessionOptions } from "./session-options.ts";

interface Event {
  rawPath: string;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

const MAX_BYTES = 4_500_000;
const TIMEOUT_MS = 28_000;
const endpoint = process.env["S3_ENDPOINT"];
const s3 = new S3Client({ forcePathStyle: true, ...(endpoint && { endpoint }) });
const { stable } = JSON.parse(String(Buffer.from(await read("iris/release.json")))) as {
  stable: string;
};
const { artifact } = JSON.parse(String(Buffer.from(await read(`iris/${stable}/model.json`)))) as {
  artifact: { file: string; sha256: string };
};
const bytes = await read(`iris/${stable}/${artifact.file}`);
const digest = createHash("sha256").update(bytes).digest("hex");
if (digest !== artifact.sha256) throw new Error("The artifact is another one");
const session = await InferenceSession.create(bytes, sessionOptions);

async function read(Key: string): Promise<Uint8Array> {
  const object = await s3.send(new GetObjectCommand({ Bucket: process.env["BUCKET"], Key }));
  if (!object.Body) throw new Error(`${Key} is empty`);
  return object.Body.transformToByteArray();
}

export async function handler({ rawPath, headers, body: given, isBase64Encoded }: Event) {
  const begun = performance.now();
  const phases: string[] = [];
  let last = begun;
  const lap = (phase: string) => {
    const now = performance.now();
    phases.push(`${phase};dur=${(now - last).toFixed(3)}`);
    last = now;
  };
  const id = idOf(headers["x-request-id"]);
  let isLate = false;
  const deadline = setTimeout(() => (isLate = true), TIMEOUT_MS);
  let [statusCode, body] = [200, "{}"];
  try {
    if (rawPath !== "/v1/models/iris/predict") throw new RangeError("no such path");
    const bytes = Buffer.from(given, isBase64Encoded ? "base64" : "utf8");
    if (bytes.byteLength > MAX_BYTES) throw new RangeError("too long");
    const inputs = readInputs(bytes);
    lap("read");
    const { data, shape } = featuresOf(inputs);
    lap("preprocess");
    const features = new Tensor("float32", data, shape);
    const { probabilities } = await session.run({ features }, ["probabilities"]);
    lap("run");
    body = writeJson(answerOf(inputs, probabilities?.data as Float32Array));
    lap("postprocess");
  } catch {
    statusCode = 422;
  }
  if (isLate) statusCode = 504;
  clearTimeout(deadline);
  const milliseconds = performance.now() - begun;
  const model = { model: "iris", version: stable };
  log({ message: "request", requestId: id, ...model, digest, status: statusCode, milliseconds, phases }); // oxfmt-ignore
  const Metrics = [
    { Name: "predictions", Unit: "Count" },
    { Name: "seconds", Unit: "Seconds" },
  ];
  const CloudWatchMetrics = [
    { Namespace: "Bare", Dimensions: [[]], Metrics },
    { Namespace: "Bare", Dimensions: [["model", "version"]], Metrics },
  ];
  log({ _aws: { Timestamp: Date.now(), CloudWatchMetrics }, ...model, predictions: 1, seconds: milliseconds / 1000 }); // oxfmt-ignore
  return {
    statusCode,
    headers: {
      "content-type": "application/json",
      "x-request-id": id,
      ...SECURITY_HEADERS,
      "x-model-name": "iris",
      "x-model-version": stable,
      "x-model-digest": `sha256:${digest}`,
      "server-timing": phases.join(", "),
    },
    body,
    isBase64Encoded: false,
  };
}

function log(entry: object): void {
  process.stderr.write(
    `${JSON.stringify({ time: new Date().toISOString(), level: "info", ...entry })}\n`,
  );
}
