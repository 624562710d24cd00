import { fork } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join, relative } from "node:path";
import type { BuildOptions } from "esbuild";
import { zipSync, type Zippable } from "fflate";
import { DECODER_FILES } from "../../functions/tasks/image/formats.ts";
import { ownModule } from "../own-module.ts";
import type { Architecture } from "./architectures.ts";
import type { CompiledCode } from "./cache-code.ts";
import { copyDocumentation } from "./documentation.ts";
import { copyPackaged } from "./packaged.ts";
import { copy, copyRuntime } from "./runtime-files.ts";
import { synchronousFflate } from "./node.ts";
import { sourcesOf } from "./sources.ts";

export interface LambdaBuild {
  /** The module that exports `handler`. */
  entry: string;
  /** The folder that gets `<architecture>/` and `<architecture>.zip`. It is emptied first. */
  output: string;
  /** The models whose predictions decide which code to keep compiled. */
  models: string;
  /** The path of Nearcast in the handler, such as `/ml`. Its root when absent. */
  base?: string | undefined;
  /** Models whose artifacts travel in the package, such as `iris` or `iris@2`. */
  packaged?: readonly string[];
  architectures: readonly Architecture[];
}

export interface LambdaPackage {
  architecture: Architecture;
  folder: string;
  /** The files of the project in the handler. */
  sources: string[];
  /** Why it has no compiled code. Undefined when it has. */
  uncompiled: string | undefined;
}

const MAX_ZIP_BYTES = 25 * 1024 * 1024;
/** The version of Node on Lambda. V8 accepts compiled code of its own version only. */
export const LAMBDA_NODE = 24;

const require = createRequire(import.meta.url);

/**
 * Builds the function's folder for each architecture. It holds the handler as one file and the parts of ONNX Runtime for
 * that processor. If this machine has that processor, it also holds the handler's compiled code.
 */
export async function buildLambdaFolders(options: LambdaBuild): Promise<LambdaPackage[]> {
  await rm(options.output, { recursive: true, force: true });
  const packages: LambdaPackage[] = [];
  for (const architecture of options.architectures) {
    const folder = join(options.output, architecture);
    const sources = await bundle(options.entry, folder);
    await copyRuntime(join(folder, "node_modules"), architecture);
    await copyDocumentation(join(folder, "docs"));
    await copyDecoders(join(folder, "decoders"));
    await copyPackaged(options.models, options.packaged ?? [], join(folder, "packaged"));
    const uncompiled = await keepCompiledCode(folder, architecture, options);
    packages.push({ architecture, folder, sources, uncompiled });
  }
  return packages;
}

/** Writes a zip beside the folder. Resolves to its size in bytes. Rejects when it is too large. */
export async function zipPackage({ folder, architecture }: LambdaPackage): Promise<number> {
  const bytes = await zip(folder);
  if (bytes.byteLength > MAX_ZIP_BYTES)
    throw new Error(
      `${architecture}.zip has ${bytes.byteLength} bytes, the limit is ${MAX_ZIP_BYTES}. Large models belong into the store alone.`,
    );
  await writeFile(`${folder}.zip`, bytes);
  return bytes.byteLength;
}

/** Makes one CommonJS file, so that V8 can keep its compiled code. Late imports still run late. */
async function bundle(entry: string, folder: string): Promise<string[]> {
  const { build } = await import("esbuild");
  const options: BuildOptions = {
    platform: "node",
    target: `node${LAMBDA_NODE}`,
    minify: true,
    logLevel: "warning",
  };
  const { metafile } = await build({
    ...options,
    entryPoints: [entry],
    metafile: true,
    outfile: join(folder, "bundle.cjs"),
    // A function around the module, as Node's own loader makes it.
    banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
    footer: { js: "})" },
    bundle: true,
    format: "cjs",
    mainFields: ["module", "main"],
    external: ["onnxruntime-node"],
    alias: { fflate: synchronousFflate() },
    supported: { "dynamic-import": false },
    define: { "import.meta.dirname": "__dirname" },
  });
  await build({
    ...options,
    entryPoints: [ownModule("build/lambda-index")],
    outfile: join(folder, "index.mjs"),
    format: "esm",
  });
  return sourcesOf(metafile);
}

/** The decoders of images, which are read when a model needs them. */
async function copyDecoders(folder: string): Promise<void> {
  for (const file of Object.values(DECODER_FILES))
    await copy(require.resolve(file), join(folder, basename(file)));
}

/** Resolves to the reason when there is no code. V8 does not check the processor, so it is checked here. */
async function keepCompiledCode(
  folder: string,
  architecture: Architecture,
  { models, base = "" }: Pick<LambdaBuild, "models" | "base">,
): Promise<string | undefined> {
  const node = Number(process.versions.node.split(".")[0]);
  if (process.platform !== "linux" || process.arch !== architecture)
    return `only Linux on ${architecture} can compile it, this is ${process.platform} on ${process.arch}`;
  if (node !== LAMBDA_NODE) return `this is Node ${node}, Lambda runs Node ${LAMBDA_NODE}`;
  const { PATH, HOME, TMPDIR } = process.env;
  const child = fork(ownModule("build/cache-code"), [folder, models, base], {
    // The variables of this machine must not configure the function.
    env: { PATH, HOME, TMPDIR },
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let errors = "";
  let answer: CompiledCode | undefined;
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  child.on("message", (message) => (answer = message as CompiledCode));
  await once(child, "close");
  for (const failure of answer?.failures ?? []) console.error(`Not compiled for ${failure}`);
  if (answer) return answer.answered > 0 ? undefined : "no model in the folder answered an example";
  const reason = errors.split("\n").find((line) => /^\w*Error\b.*: /.test(line));
  return `it could not be started: ${reason ?? errors.trim()}`;
}

async function zip(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((file) => join(file.parentPath, file.name));
  const files: Zippable = {};
  // With a fixed order and date, the same sources give the same zip.
  for (const path of paths.toSorted())
    files[relative(folder, path).replaceAll("\\", "/")] = [
      new Uint8Array(await readFile(path)),
      { level: 9, mtime: "1980-01-01T00:00:00" },
    ];
  return zipSync(files);
}
