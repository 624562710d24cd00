import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { HttpBindings } from "@hono/node-server";
import { readConfig, type Config } from "../config.ts";
import type { ArtifactSource, Runtime } from "../runtime/types.ts";
import { createFolderAssets } from "./folder-assets.ts";
import { logLine, logSoon } from "./log.ts";
import { openStore } from "./store/open.ts";
import type { Platform } from "./types.ts";

/** A long-running Node process: a folder or S3 as the store, native ONNX Runtime or `RUNTIME=wasm`. */
export function createNodePlatform(environment: NodeJS.ProcessEnv): Platform {
  const config = readConfig(environment, {
    STORE: "models",
    RUNTIME: "native",
    SESSION_BUDGET_MB: 512,
  });
  const { store, artifacts } = openStore(config);
  let runtime: Promise<Runtime> | undefined;
  return {
    name: "node",
    config,
    store,
    artifacts,
    runtime: () => (runtime ??= startRuntime(config)),
    now: () => performance.now(),
    turnEventLoop: config.workers === 0 ? () => setImmediate() : undefined,
    // There are no bindings where a request does not come from the server, as in `app.request`.
    isClientGone: (bindings) =>
      (bindings as Partial<HttpBindings> | undefined)?.outgoing?.destroyed ?? false,
    asset: createFolderAssets(() =>
      dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json")),
    ),
    waitUntil(promise) {
      promise.catch((error: unknown) => logLine({ level: "error", message: String(error) }));
    },
    log: logSoon,
  };
}

async function startRuntime({ runtime, threads, workers }: Config): Promise<Runtime> {
  if (runtime === "native" && workers > 0) {
    const { createWorkerPool } = await import("../runtime/worker-pool.ts");
    return createWorkerPool({ workers, threads });
  }
  if (runtime === "native") {
    const { createNativeRuntime } = await import("../runtime/onnxruntime-node.ts");
    return createNativeRuntime({ threads });
  }
  const wasm = createRequire(import.meta.url).resolve(
    "onnxruntime-web/ort-wasm-simd-threaded.wasm",
  );
  const [{ createWebRuntime }, bytes] = await Promise.all([
    import("../runtime/onnxruntime-web.ts"),
    readFile(wasm),
  ]);
  const web = createWebRuntime(await WebAssembly.compile(bytes));
  return {
    ...web,
    load: async (artifact, externalData = []) =>
      web.load(
        await inMemory(artifact),
        await Promise.all(
          externalData.map(async ({ name, source }) => ({ name, source: await inMemory(source) })),
        ),
      ),
  };
}

async function inMemory(source: ArtifactSource) {
  return "path" in source ? { bytes: await readFile(source.path) } : source;
}
