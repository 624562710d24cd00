import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildOptions } from "esbuild";
import { DECODER_FILES } from "../../functions/tasks/image/formats.ts";
import { packageRoot } from "../own-module.ts";
import type { Architecture } from "./architectures.ts";
import { copyDocumentation } from "./documentation.ts";
import { copy, copyRuntime } from "./runtime-files.ts";

const require = createRequire(import.meta.url);

export interface NodeBuild {
  /** The module that calls `serve`. */
  entry: string;
  /** The folder that gets `server.mjs` and what it imports. It is emptied first. */
  output: string;
  /** The processor for which the folder also gets all packages that the server needs, on Linux. */
  architecture?: Architecture | undefined;
}

/**
 * Builds the server as JavaScript. Run from sources it takes 47 MiB more memory, for Node's type stripping and for
 * whole packages of which it uses a part. Rejects when the entry does not compile. esbuild prints the errors.
 */
export async function buildNode(options: NodeBuild): Promise<void> {
  const { build } = await import("esbuild");
  await rm(options.output, { recursive: true, force: true });
  await build(nodeBuildOptions(options));
  const { output, architecture } = options;
  if (architecture) await copyPackages(join(output, "node_modules"), architecture);
}

/** The server finds them as in a project's folder. Only ONNX Runtime Web is missing there. */
async function copyPackages(modules: string, architecture: Architecture): Promise<void> {
  await copyRuntime(modules, architecture);
  const own = join(modules, "nearcast");
  await copyDocumentation(join(own, "dist/assets/docs"));
  await writeFile(join(own, "package.json"), JSON.stringify({ name: "nearcast" }));
  for (const file of Object.values(DECODER_FILES))
    await copy(require.resolve(file), join(modules, file));
}

export function nodeBuildOptions({
  entry,
  output,
}: Pick<NodeBuild, "entry" | "output">): BuildOptions {
  return {
    // The server starts a process and threads by their files' names, which a bundler does not follow.
    entryPoints: {
      server: entry,
      "inference-process": inModule("runtime/inference-process"),
      "watch-process": inModule("runtime/watch-process"),
      "image-thread": inModule("platform/image-thread"),
    },
    outdir: output,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    // Names are kept, for the stacks in the log.
    minifySyntax: true,
    minifyWhitespace: true,
    mainFields: ["module", "main"],
    external: ["onnxruntime-node", "onnxruntime-web"],
    alias: { fflate: synchronousFflate() },
    // Parts of the AWS SDK are CommonJS and call require() for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: "warning",
  };
}

/** fflate without worker threads. Its build for Node looks for them at the start. */
export function synchronousFflate(): string {
  return fileURLToPath(import.meta.resolve("fflate/browser"));
}

/** The source in the repository, or the compiled file in the package. */
function inModule(name: string): string {
  const module = `functions/${name}`;
  const source = join(packageRoot(), `${module}.ts`);
  return existsSync(source) ? source : join(packageRoot(), "dist/package", `${module}.js`);
}
