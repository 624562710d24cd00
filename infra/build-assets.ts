// Makes what the package holds beside its code: in dist/assets/docs/ the files of the documentation page, and
// dist/onnxruntime-web/factory.js, because a Worker cannot make a function of a text, as Node does.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DOCUMENTATION_ASSETS } from "../functions/platform/types.ts";
import { factoryBody } from "../functions/runtime/onnxruntime-web-factory.ts";

const dist = join(import.meta.dirname, "../dist");

const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
await mkdir(join(dist, "assets/docs"), { recursive: true });
// Its licence asks that the notice goes with the files.
for (const name of [...DOCUMENTATION_ASSETS, "LICENSE", "NOTICE"])
  await cp(join(swagger, name), join(dist, "assets/docs", name));

const source = await readFile(new URL(import.meta.resolve("onnxruntime-web/wasm")), "utf8");
await mkdir(join(dist, "onnxruntime-web"), { recursive: true });
await writeFile(
  join(dist, "onnxruntime-web/factory.js"),
  `export function createOrt(WebAssembly) {\n${factoryBody(source)}\n}\n`,
);
