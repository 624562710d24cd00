import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { build, type BuildOptions } from "esbuild";

const root = join(import.meta.dirname, "../..");
const options: BuildOptions = {
  bundle: true,
  format: "esm",
  minify: true,
  logLevel: "warning",
  loader: { ".wasm": "copy" },
};

/** Bundles the bare handler and the bare Worker as the service's own are bundled; returns their folders. */
export async function buildBare(): Promise<{ lambda: string; worker: string }> {
  const output = join(root, ".cache/bench/bare");
  const [lambda, worker] = [join(output, "lambda"), join(output, "worker")];
  await rm(output, { recursive: true, force: true });
  await mkdir(lambda, { recursive: true });
  await build({
    ...options,
    entryPoints: { index: join(root, "bench/bare/lambda.ts") },
    outdir: lambda,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    external: ["onnxruntime-node"],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  const modules = "node_modules";
  await cp(join(root, "dist/lambda", process.arch, modules), join(lambda, modules), {
    recursive: true,
  });
  await build({
    ...options,
    entryPoints: { index: join(root, "bench/bare/worker.ts") },
    outdir: worker,
    platform: "browser",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
  });
  return { lambda, worker };
}
