// A Worker that only reads the model from R2, loads ONNX Runtime and runs it.
import type { R2Bucket } from "@cloudflare/workers-types";
import { Tensor, type InferenceSession } from "onnxruntime-web/wasm";
import { createSession } from "./wasm-session.ts";

const LABELS = ["setosa", "versicolor", "virginica"];
let session: InferenceSession | undefined;

export default {
  async fetch(request: Request, bindings: { MODELS: R2Bucket }): Promise<Response> {
    const { inputs } = (await request.json()) as { inputs: Record<string, number> };
    session ??= await load(bindings.MODELS);
    const features = new Tensor("float32", Float32Array.from(Object.values(inputs)), [1, 4]);
    const { probabilities } = await session.run({ features }, ["probabilities"]);
    const scores = Array.from(probabilities?.data as Float32Array);
    const label = LABELS[scores.indexOf(Math.max(...scores))];
    return Response.json({ outputs: { label, scores } });
  },
};

async function load(models: R2Bucket): Promise<InferenceSession> {
  const object = await models.get("iris/1/model.onnx");
  if (!object) throw new Error("The model is not in the bucket");
  return createSession(new Uint8Array(await object.arrayBuffer()));
}
