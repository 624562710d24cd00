import { env, waitUntil } from "cloudflare:workers";
import wasm from "onnxruntime-web/ort-wasm-simd-threaded.wasm";
import { createOrt } from "onnxruntime-web-factory";
import { createApp } from "./app.ts";
import { createCloudflarePlatform } from "./platform/cloudflare.ts";

export default createApp(createCloudflarePlatform({ env, waitUntil, wasm, createOrt }));
