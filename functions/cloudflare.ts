import { env, waitUntil } from "cloudflare:workers";
import { createOrt } from "#onnxruntime-web-factory";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createApp, type Options } from "./app.ts";
import { createPlatform } from "./platform/cloudflare.ts";
import type { Platform } from "./platform/types.ts";
import { createService } from "./service.ts";

/** The platform of this Worker, from its bindings. Throws an Error that says what is wrong with them. */
export function createCloudflarePlatform(): Platform {
  return createPlatform({ env, waitUntil, wasm, createOrt });
}

/**
 * The whole service as a Worker.
 *
 * @example export default createWorker();
 */
export function createWorker(options: Options = {}) {
  return createApp(createService(createCloudflarePlatform(), options), options);
}
