// Makes dist/lambda/<arch>/ and dist/lambda/<arch>.zip for the architectures that are named, or for all: the
// handler as one file, of ONNX Runtime only what that processor needs, and where this machine is of that kind,
// the handler's compiled code.
import { execFileSync } from "node:child_process";
import { cp, glob, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { build, type BuildOptions } from "esbuild";
import { zipSync, type Zippable } from "fflate";
import { copyDocumentation } from "./copy-documentation.ts";

const ARCHITECTURES = ["x64", "arm64"];
const MAX_ZIP_BYTES = 25 * 1024 * 1024;

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, "..");
const output = join(root, "dist/lambda");

const named = process.argv.slice(2);
const unknown = named.find((architecture) => !ARCHITECTURES.includes(architecture));
if (unknown !== undefined)
  throw new Error(`There is no package for ${unknown}: ${ARCHITECTURES.join(", ")}`);
await rm(output, { recursive: true, force: true });
for (const architecture of named.length > 0 ? named : ARCHITECTURES) {
  const folder = join(output, architecture);
  await bundle(folder);
  await copyRuntime(folder, architecture);
  // Compiled code is taken without a look at what processor it is for.
  if (process.platform === "linux" && process.arch === architecture)
    execFileSync(process.execPath, [join(root, "infra/cache-lambda-code.ts"), folder], {
      stdio: "pipe",
    });
  await copyDocumentation(join(folder, "docs"));
  const bytes = await zip(folder);
  if (bytes.byteLength > MAX_ZIP_BYTES)
    throw new Error(
      `${architecture}.zip has ${bytes.byteLength} bytes, the limit is ${MAX_ZIP_BYTES}`,
    );
  await writeFile(join(output, `${architecture}.zip`), bytes);
  console.log(
    `dist/lambda/${architecture}.zip  ${(bytes.byteLength / 1024 / 1024).toFixed(1)} MiB`,
  );
}

/** One CommonJS file, of which V8 can keep the compiled code; modules imported later are evaluated later. */
async function bundle(folder: string): Promise<void> {
  const options: BuildOptions = {
    platform: "node",
    target: "node24",
    minify: true,
    logLevel: "warning",
  };
  await build({
    ...options,
    entryPoints: [join(root, "entries/lambda.ts")],
    outfile: join(folder, "bundle.cjs"),
    bundle: true,
    format: "cjs",
    mainFields: ["module", "main"],
    external: ["onnxruntime-node"],
    // Its build for Node starts by looking for worker threads.
    alias: { fflate: "fflate/browser" },
    supported: { "dynamic-import": false },
    define: { "import.meta.dirname": "__dirname" },
  });
  await build({
    ...options,
    entryPoints: [join(root, "infra/lambda-index.ts")],
    outfile: join(folder, "index.mjs"),
    format: "esm",
  });
}

async function copyRuntime(folder: string, architecture: string): Promise<void> {
  const native = dirname(require.resolve("onnxruntime-node/package.json"));
  const common = dirname(dirname(dirname(require.resolve("onnxruntime-common"))));
  const modules = join(folder, "node_modules");
  const binaries = `bin/napi-v6/linux/${architecture}`;
  for (const part of ["package.json", "dist", binaries])
    await copy(join(native, part), join(modules, "onnxruntime-node", part));
  for (const part of ["package.json", "dist/cjs"])
    await copy(join(common, part), join(modules, "onnxruntime-common", part));
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, {
    recursive: true,
    filter: (path) => !path.endsWith(".map") && !path.endsWith(".d.ts"),
  });
}

async function zip(folder: string): Promise<Uint8Array> {
  const paths: string[] = [];
  for await (const entry of glob("**/*", { cwd: folder, withFileTypes: true }))
    if (entry.isFile()) paths.push(join(entry.parentPath, entry.name));
  const files: Zippable = {};
  // A fixed order and date make the same sources give the same zip.
  for (const path of paths.toSorted())
    files[relative(folder, path)] = [
      new Uint8Array(await readFile(path)),
      { level: 9, mtime: "1980-01-01T00:00:00" },
    ];
  return zipSync(files);
}
