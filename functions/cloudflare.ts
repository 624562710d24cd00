import { env, waitUntil } from "cloudflare:workers";
import { createOrt } from "#onnxruntime-web-factory";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createApp, type AppType } from "./app.ts";
import { createCloudflarePlatform } from "./platform/cloudflare.ts";

/** The service as a Worker's default export. */
export function createWorker(): AppType {
  return createApp(createCloudflarePlatform({ env, waitUntil, wasm, createOrt }));
}
