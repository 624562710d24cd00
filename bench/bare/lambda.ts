// A handler as people write it for one model: fetch the object with the SDK, run ONNX Runtime.
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { sessionOptions } from "./session-options.ts";

const LABELS = ["setosa", "versicolor", "virginica"];
const endpoint = process.env["S3_ENDPOINT"];
const s3 = new S3Client({ forcePathStyle: true, ...(endpoint && { endpoint }) });
const object = await s3.send(
  new GetObjectCommand({ Bucket: process.env["BUCKET"], Key: "iris/1/model.onnx" }),
);
const bytes = await object.Body?.transformToByteArray();
if (!bytes) throw new Error("The artifact is empty");
const session = await InferenceSession.create(bytes, sessionOptions);

export async function handler(event: { body: string }) {
  const { inputs } = JSON.parse(event.body) as { inputs: Record<string, number> };
  const features = new Tensor("float32", Float32Array.from(Object.values(inputs)), [1, 4]);
  const { probabilities } = await session.run({ features }, ["probabilities"]);
  const scores = Array.from(probabilities?.data as Float32Array);
  const label = LABELS[scores.indexOf(Math.max(...scores))];
  return { statusCode: 200, body: JSON.stringify({ outputs: { label, scores } }) };
}
