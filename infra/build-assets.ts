// Makes the package's files beside its code. dist/assets/docs/ gets the files of the pages.
// dist/onnxruntime-web/factory.js is made here because a Worker, unlike Node, cannot make a function from a text.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { factoryBody } from "../functions/runtime/onnxruntime-web-factory.ts";

const dist = join(import.meta.dirname, "../dist");

const swagger = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
await mkdir(join(dist, "assets/docs"), { recursive: true });
// The licence asks to keep the notice with the files.
for (const name of ["swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"])
  await cp(join(swagger, name), join(dist, "assets/docs", name));

const preact = createRequire(import.meta.url).resolve("preact/package.json");
const license = await readFile(join(dirname(preact), "LICENSE"), "utf8");
await build({
  entryPoints: [
    { in: join(import.meta.dirname, "../playground/index.tsx"), out: "playground" },
    { in: join(import.meta.dirname, "../playground/style.css"), out: "playground" },
  ],
  banner: { js: `/*! With preact.\n${license}*/` },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  outdir: join(dist, "assets/docs"),
  logLevel: "warning",
});

const source = await readFile(new URL(import.meta.resolve("onnxruntime-web/wasm")), "utf8");
await mkdir(join(dist, "onnxruntime-web"), { recursive: true });
await writeFile(
  join(dist, "onnxruntime-web/factory.js"),
  `export function createOrt(WebAssembly) {\n${factoryBody(source)}\n}\n`,
);
