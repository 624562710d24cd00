// The floor of a function that does what the service promises, in the least code: the release, its manifest and the artifact
// whose digest that has, an id, a deadline, checked inputs, ranked scores, phases, header fields, and a line for the log and
// one for CloudWatch's metrics. One model and one kind of event.
import { createHash } from "node:crypto";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { answerIris, createLap, idOf, SECURITY_HEADERS } from "./checked-iris.ts";
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

async function run(data: Float32Array, shape: [number, number]): Promise<Float32Array> {
  const { probabilities } = await session.run({ features: new Tensor("float32", data, shape) }, [
    "probabilities",
  ]);
  return probabilities?.data as Float32Array;
}

export async function handler({ rawPath, headers, body: given, isBase64Encoded }: Event) {
  const begun = performance.now();
  const { phases, lap } = createLap();
  const id = idOf(headers["x-request-id"]);
  let isLate = false;
  const deadline = setTimeout(() => (isLate = true), TIMEOUT_MS);
  let [statusCode, body] = [200, "{}"];
  try {
    if (rawPath !== "/v1/models/iris/predict") throw new RangeError("no such path");
    const text = isBase64Encoded ? Buffer.from(given, "base64").toString("utf8") : given;
    if (text.length > MAX_BYTES) throw new RangeError("too long");
    const { inputs } = JSON.parse(text) as { inputs: unknown };
    lap("read");
    body = JSON.stringify(await answerIris(inputs, run, lap));
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
