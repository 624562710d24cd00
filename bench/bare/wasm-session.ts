import { env, InferenceSession } from "onnxruntime-web/wasm";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";

/** workerd cannot compile bytes, and ONNX Runtime takes no module. So its one call to compile gets the module. */
export async function createSession(bytes: Uint8Array): Promise<InferenceSession> {
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
