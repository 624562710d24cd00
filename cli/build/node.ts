import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildOptions } from "esbuild";
import { packageRoot } from "../own-module.ts";

export interface NodeBuild {
  /** The module that calls `serve`. */
  entry: string;
  /** The folder that gets `server.mjs` and what it imports. It is emptied first. */
  output: string;
}

/**
 * Builds the server as JavaScript. Run from sources it takes 47 MiB more memory, for Node's type stripping and for
 * whole packages of which it uses a part. Rejects when the entry does not compile. esbuild prints the errors.
 */
export async function buildNode(options: NodeBuild): Promise<void> {
  const { build } = await import("esbuild");
  await rm(options.output, { recursive: true, force: true });
  await build(nodeBuildOptions(options));
}

export function nodeBuildOptions({ entry, output }: NodeBuild): BuildOptions {
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
