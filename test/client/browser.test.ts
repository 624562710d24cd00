import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { RUNTIME_FILE } from "../../client/src/browser/runtime-file.ts";
import { PAGE_LIMITS } from "../../client/src/browser/worker/limits.ts";
import { createNodePlatform } from "../../functions/node.ts";

const root = join(import.meta.dirname, "../..");

test("the page asks for the file of ONNX Runtime that is installed here", async () => {
  const folder = join(root, "node_modules/onnxruntime-web");
  const bytes = await readFile(join(folder, "dist/ort-wasm-simd-threaded.wasm"));
  const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    version: string;
  };
  expect(RUNTIME_FILE).toEqual({
    file: `ort-wasm-simd-threaded.wasm of onnxruntime-web ${version}`,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    bytes: bytes.length,
  });
  const { peerDependencies } = JSON.parse(
    await readFile(join(root, "client/package.json"), "utf8"),
  ) as { peerDependencies: Record<string, string> };
  expect(peerDependencies["onnxruntime-web"]).toBe(version);
});

test("the page refuses what a service refuses that nobody has configured", () => {
  expect(PAGE_LIMITS).toEqual(createNodePlatform({ STORE: "models" }).config.limits);
});

test("the first load, without what only some models need, is under 100 kB compressed", async () => {
  const dist = join(root, "client/dist/browser");
  const { outputFiles } = await build({
    stdin: { contents: 'export { createLocalModel } from "./index.js";', resolveDir: dist },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
  });
  const main = gzipSync(outputFiles[0]?.contents ?? "").length;
  const files = new Set(["worker.js"]);
  let worker = 0;
  // The set grows by what each file imports at once. What it imports later, by `import()`, is not counted.
  for (const file of files) {
    const text = await readFile(join(dist, file), "utf8");
    for (const [, name] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) files.add(name ?? "");
    worker += gzipSync(text).length;
  }
  console.log(
    `./browser: ${main} bytes in the page, ${worker} in ${files.size} files of its worker`,
  );
  expect(files.size).toBeGreaterThan(1);
  expect(main).toBeGreaterThan(1000);
  expect(main + worker).toBeLessThan(100_000);
});
