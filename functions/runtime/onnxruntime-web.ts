import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-web/wasm";
import { wrapSession } from "./session.ts";
import type { Runtime } from "./types.ts";

/**
 * WASM ONNX Runtime on an already compiled module, the only kind that workerd accepts. ONNX Runtime's
 * options only take bytes, so it is given a marker for bytes, and the one `WebAssembly.instantiate`
 * call that shows the marker is answered with an instance of the module.
 */
export function createWebRuntime(module: WebAssembly.Module): Runtime {
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  let started = false;
  let memory: WebAssembly.Memory | undefined;
  return {
    name: "wasm",
    memoryBytes: () => memory?.buffer.byteLength ?? 0,
    async load(artifact) {
      if (!("bytes" in artifact)) throw new TypeError("the WASM runtime loads from bytes");
      const restore = started ? undefined : substituteModule(module, (used) => (memory = used));
      started = true;
      try {
        const session = await InferenceSession.create(artifact.bytes, {
          executionProviders: ["wasm"],
          logSeverityLevel: 3,
        });
        return wrapSession(session, OrtTensor);
      } finally {
        restore?.();
      }
    },
  };
}

function substituteModule(
  module: WebAssembly.Module,
  onMemory: (memory: WebAssembly.Memory) => void,
): () => void {
  const marker = new ArrayBuffer(8);
  env.wasm.wasmBinary = marker;
  const original = WebAssembly.instantiate;
  const restore = (): void => {
    WebAssembly.instantiate = original;
  };
  const substitute = async (source: unknown, imports?: WebAssembly.Imports) => {
    const bytes = ArrayBuffer.isView(source) ? source.buffer : source;
    if (bytes !== marker) return original(source as BufferSource, imports);
    restore();
    // This build of ONNX Runtime makes its memory itself and hands it to the module as an import.
    const memory = Object.values(imports ?? {})
      .flatMap((namespace) => Object.values(namespace))
      .find((value) => value instanceof WebAssembly.Memory);
    if (memory) onMemory(memory);
    return { module, instance: await original(module, imports) };
  };
  WebAssembly.instantiate = substitute as typeof WebAssembly.instantiate;
  return restore;
}
