// Makes dist/onnxruntime-web/factory.js, which wrangler.toml's alias names: a Worker cannot make a
// function of a text, as Node does.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { factoryBody } from "../functions/runtime/onnxruntime-web-factory.ts";

const source = await readFile(new URL(import.meta.resolve("onnxruntime-web/wasm")), "utf8");
const output = join(import.meta.dirname, "../dist/onnxruntime-web");
await mkdir(output, { recursive: true });
await writeFile(
  join(output, "factory.js"),
  `export function createOrt(WebAssembly) {\n${factoryBody(source)}\n}\n`,
);
