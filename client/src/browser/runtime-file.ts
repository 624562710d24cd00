import { readFile } from "./files.ts";

/**
 * `ort-wasm-simd-threaded.wasm` of onnxruntime-web 1.30.0. The worker's JavaScript fits only this file, and the service at
 * the edge computes with it too.
 */
export const RUNTIME_FILE = {
  file: "ort-wasm-simd-threaded.wasm of onnxruntime-web 1.30.0",
  sha256: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
  bytes: 14_239_897,
};

/** One for all models of the page: compiled, it takes more memory than most models. */
let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiles ONNX Runtime, from the cache or from `url`. Rejects as {@link readFile} does, and where a policy forbids it. */
export function compileRuntime(url: URL, signal: AbortSignal): Promise<WebAssembly.Module> {
  if (!compiled) {
    const from = { url, send: fetch.bind(globalThis), headers: new Headers(), signal };
    compiled = readFile("runtime", RUNTIME_FILE, from).then(WebAssembly.compile);
    compiled.catch(() => (compiled = undefined));
  }
  return compiled;
}
