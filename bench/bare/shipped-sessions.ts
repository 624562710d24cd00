import { InferenceSession, Tensor } from "onnxruntime-node";
import { shippedModels, type Shipped } from "../shipped.ts";
import { sessionOptions } from "./session-options.ts";

type Input = Shipped["manifest"]["inputs"][number];

/** A session of every shipped model, with feeds of one row that its graph can compute with. */
export async function shippedSessions() {
  const models = await shippedModels();
  return Promise.all(
    models.map(async ({ manifest, artifact }) => ({
      name: manifest.name,
      session: await InferenceSession.create(artifact, sessionOptions),
      feeds: Object.fromEntries(manifest.inputs.map((input) => [input.name, oneRow(input)])),
    })),
  );
}

function oneRow({ datatype, shape: free }: Input): Tensor {
  const shape = free.map((size) => (size === -1 ? 1 : size));
  const length = shape.reduce((product, size) => product * size, 1);
  if (datatype === "BYTES") return new Tensor("string", ["A very good film."], shape);
  if (datatype === "INT64") return new Tensor("int64", new BigInt64Array(length).fill(1n), shape);
  return new Tensor("float32", new Float32Array(length), shape);
}
