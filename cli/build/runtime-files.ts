import { cp, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Architecture } from "./architectures.ts";

const require = createRequire(import.meta.url);

/** Copies the parts of native ONNX Runtime that one processor needs on Linux into a folder of modules. */
export async function copyRuntime(modules: string, architecture: Architecture): Promise<void> {
  const native = dirname(require.resolve("onnxruntime-node/package.json"));
  const common = dirname(dirname(dirname(require.resolve("onnxruntime-common"))));
  const binaries = `bin/napi-v6/linux/${architecture}`;
  for (const part of ["package.json", "dist", binaries])
    await copy(join(native, part), join(modules, "onnxruntime-node", part));
  for (const part of ["package.json", "dist/cjs"])
    await copy(join(common, part), join(modules, "onnxruntime-common", part));
}

/** Copies a file, or a folder without what only developers read. */
export async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, {
    recursive: true,
    filter: (path) => !path.endsWith(".map") && !path.endsWith(".d.ts"),
  });
}
