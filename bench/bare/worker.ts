// A Worker that only reads the model from R2, loads ONNX Runtime and runs it.
import type { R2Bucket } from "@cloudflare/workers-types";
import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";

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
  const bytes = new Uint8Array(await object.arrayBuffer());
  // workerd cannot compile bytes, and ONNX Runtime takes no module. So its one call to compile gets the module.
  env.wasm.numThreads = 1;
  env.wasm.wasmBinary = new ArrayBuffer(8);
  const instantiate = WebAssembly.instantiate;
  const substitute = async (_: unknown, imports?: WebAssembly.Imports) => ({
    module: wasm,
    instance: await instantiate(wasm, imports),
  });
  WebAssembly.instantiate = substitute as typeof WebAssembly.instantiate;
  try {
    return await InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}
