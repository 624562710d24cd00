import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-web/wasm";
import { LOG_FATAL_ONLY, wrapSession } from "./session.ts";
import type { ArtifactSource, ExternalData, Runtime } from "./types.ts";

const LOAD_WAIT_MS = 5;
const LOAD_PATIENCE_MS = 20_000;

/**
 * WASM ONNX Runtime on an already compiled module, the only kind that workerd accepts. ONNX Runtime's
 * options only take bytes, so it is given a marker for bytes, and the one `WebAssembly.instantiate`
 * call that shows the marker is answered with an instance of the module.
 */
export function createWebRuntime(module: WebAssembly.Module): Runtime {
  env.wasm.numThreads = 1;
  env.logLevel = "error";
  const state = { started: false, loading: false };
  let memory: WebAssembly.Memory | undefined;
  return {
    name: "wasm",
    memoryBytes: () => memory?.buffer.byteLength ?? 0,
    async load(artifact, externalData = []) {
      // ONNX Runtime keeps external data in one table by name and empties it after each load: two
      // loads at once would read each other's weights. A promise of another request may never settle
      // on Workers, so a load waits on timers of its own.
      for (let waits = 0; state.loading; waits++) {
        if (waits >= LOAD_PATIENCE_MS / LOAD_WAIT_MS)
          throw new Error("another model did not finish loading");
        await new Promise((resolve) => setTimeout(resolve, LOAD_WAIT_MS));
      }
      state.loading = true;
      const restore = state.started
        ? undefined
        : substituteModule(module, (used) => (memory = used));
      state.started = true;
      try {
        const session = await InferenceSession.create(bytesOf(artifact), {
          executionProviders: ["wasm"],
          logSeverityLevel: LOG_FATAL_ONLY,
          ...(externalData.length > 0 && mountedOptions(externalData)),
        });
        return wrapSession(session, OrtTensor);
      } finally {
        restore?.();
        state.loading = false;
      }
    },
  };
}

/** Without prepacking the weights lie in WASM memory once and not twice. */
function mountedOptions(externalData: readonly ExternalData[]) {
  return {
    externalData: externalData.map(({ name, source }) => ({ path: name, data: bytesOf(source) })),
    extra: { session: { disable_prepacking: "1" } },
  };
}

function bytesOf(source: ArtifactSource): Uint8Array {
  if (!("bytes" in source)) throw new TypeError("the WASM runtime loads from bytes");
  return source.bytes;
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
