import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compileFunction } from "node:vm";
import { factoryBody, type CreateOrt } from "./onnxruntime-web-factory.ts";

/** Makes the factory of ONNX Runtime Web on Node. For Workers, the build makes the same function. */
export async function evaluateFactory(): Promise<CreateOrt> {
  const filename = fileURLToPath(import.meta.resolve("onnxruntime-web/wasm"));
  const body = factoryBody(await readFile(filename, "utf8"));
  return compileFunction(body, ["WebAssembly"], { filename }) as CreateOrt;
}

/** The WASM module that it runs. */
export async function compileModule(): Promise<WebAssembly.Module> {
  const path = import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
  return WebAssembly.compile(await readFile(new URL(path)));
}
