import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
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
