import { cp, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { writeSessions } from "./write-sessions.ts";

const root = join(import.meta.dirname, "../..");
const options: BuildOptions = {
  bundle: true,
  format: "esm",
  minify: true,
  logLevel: "warning",
  loader: { ".wasm": "copy" },
};

const PROGRAMS = [
  "checked-server",
  "constant-server",
  "models-server",
  "script",
  "server",
  "session-run",
  "sessions",
  "tensor-server",
];

/** The output of {@link buildBare}: folders for the handler and the Worker, files for the rest. */
export interface Bare {
  lambda: string;
  worker: string;
  /** The same two with the service's checks, log and header fields. */
  checkedLambda: string;
  checkedWorker: string;
  /** One prediction and its scores. */
  script: string;
  /** A script with the sessions of the shipped models. */
  sessions: string;
  /** The same sessions behind node:http. */
  modelsServer: string;
  /** The session of iris behind node:http. */
  server: string;
  /** Iris, sentiment and an image behind node:http, with the service's checks and header fields. */
  checkedServer: string;
  /** A constant behind node:http. */
  constantServer: string;
  /** Tensors' bytes behind node:http. */
  tensorServer: string;
  /** `session.run` in a loop. */
  sessionRun: string;
}

/** Bundles the bare programs as the service itself is bundled, so that neither pays for compiling types. */
export async function buildBare(): Promise<Bare> {
  const output = join(root, ".cache/bench/bare");
  const [lambda, checkedLambda, worker, checkedWorker, node] = [
    "lambda",
    "checked-lambda",
    "worker",
    "checked-worker",
    "node",
  ].map((name) => join(output, name)) as [string, string, string, string, string];
  await rm(output, { recursive: true, force: true });
  const onNode: BuildOptions = {
    ...options,
    outExtension: { ".js": ".mjs" },
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    external: ["onnxruntime-node"],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  };
  for (const folder of [lambda, checkedLambda]) {
    await mkdir(folder, { recursive: true });
    await build({
      ...onNode,
      entryPoints: { index: join(root, "bench/bare", `${basename(folder)}.ts`) },
      outdir: folder,
    });
    const modules = "node_modules";
    await cp(join(root, "dist/lambda", process.arch, modules), join(folder, modules), {
      recursive: true,
    });
  }
  await build({
    ...onNode,
    entryPoints: PROGRAMS.map((name) => join(root, `bench/bare/${name}.ts`)),
    outdir: node,
  });
  await writeSessions();
  for (const folder of [worker, checkedWorker])
    await build({
      ...options,
      entryPoints: { index: join(root, "bench/bare", `${basename(folder)}.ts`) },
      outdir: folder,
      platform: "browser",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
    });
  return {
    lambda,
    checkedLambda,
    worker,
    checkedWorker,
    script: join(node, "script.mjs"),
    sessions: join(node, "sessions.mjs"),
    modelsServer: join(node, "models-server.mjs"),
    server: join(node, "server.mjs"),
    constantServer: join(node, "constant-server.mjs"),
    tensorServer: join(node, "tensor-server.mjs"),
    sessionRun: join(node, "session-run.mjs"),
    checkedServer: join(node, "checked-server.mjs"),
  };
}
