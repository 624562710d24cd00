// Makes dist/node/: the server as JavaScript. From its sources it would hold 47 MiB more: Node's compiler for
// types, and every file of the packages it uses a part of.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");
const output = join(root, "dist/node");

/** Workers run a file of their own, whose name a bundler does not follow. */
let workers = 0;
const builtWorker: Plugin = {
  name: "built-worker",
  setup(bundler) {
    bundler.onLoad(
      { filter: /[/\\]functions[/\\]runtime[/\\]worker-[^/\\]+\.ts$/ },
      async ({ path }) => {
        const source = await readFile(path, "utf8");
        const contents = source.replaceAll("inference-worker.ts", "inference-worker.mjs");
        if (contents !== source) workers += 1;
        return { contents, loader: "ts" };
      },
    );
  },
};

await rm(output, { recursive: true, force: true });
await build({
  entryPoints: {
    server: join(root, "entries/server.ts"),
    "inference-worker": join(root, "functions/runtime/inference-worker.ts"),
  },
  outdir: output,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // Names stay, for the stacks in the log.
  minifySyntax: true,
  minifyWhitespace: true,
  mainFields: ["module", "main"],
  external: ["onnxruntime-node", "onnxruntime-web", "swagger-ui-dist"],
  alias: { fflate: "fflate/browser" },
  // Parts of the AWS SDK are CommonJS and call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  plugins: [builtWorker],
  logLevel: "warning",
});
if (workers !== 1)
  throw new Error("No file of functions/runtime starts inference-worker.ts, or several");
