// Makes client/dist/browser/worker.js, in which a page runs a model, with the service's own predict path. What only some
// models need (tokenizers, decoders of images) is in chunks that it imports. No WASM file and no text becomes code: a page
// whose policy has `script-src 'self' 'wasm-unsafe-eval'` can use it.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { factoryBody } from "../functions/runtime/onnxruntime-web-factory.ts";

const root = join(import.meta.dirname, "..");
const outdir = join(root, "client/dist/browser");

const onnxRuntime: Plugin = {
  name: "onnxruntime-web",
  setup(bundle) {
    bundle.onResolve({ filter: /^#onnxruntime-web-factory$/ }, ({ path }) => ({
      path,
      namespace: "ort",
    }));
    bundle.onLoad({ filter: /.*/, namespace: "ort" }, async () => {
      const source = await readFile(new URL(import.meta.resolve("onnxruntime-web/wasm")), "utf8");
      return { contents: `export function createOrt(WebAssembly) {\n${factoryBody(source)}\n}\n` };
    });
  },
};

/** Decoders as compiled modules, as workerd imports them. They travel as text, so that no page must serve them. */
const decoders: Plugin = {
  name: "decoders",
  setup(bundle) {
    bundle.onLoad({ filter: /\.wasm$/ }, async ({ path }) => {
      const text = JSON.stringify((await readFile(path)).toString("base64"));
      const bytes = `Uint8Array.from(atob(${text}), (character) => character.charCodeAt(0))`;
      return { contents: `export default new WebAssembly.Module(${bytes});` };
    });
  },
};

/** zod writes JSON schemas too. No page asks for them, and they would be 4 % of what it loads first. */
const noJsonSchemas: Plugin = {
  name: "no-json-schemas",
  setup(bundle) {
    bundle.onLoad(
      { filter: /zod\/v4\/core\/(to-json-schema|json-schema-processors)\.js$/ },
      async ({ path }) => {
        const source = await readFile(path, "utf8");
        const names = [...source.matchAll(/^export (?:const|function) (\w+)/gm)].map(
          ([, name]) => name,
        );
        const exported = names.map(
          (name) => `${name?.startsWith("create") ? "create" : "none"} as ${name}`,
        );
        return {
          contents: `const none = () => { throw new Error("A page has no JSON schemas."); };
const create = () => none;
export { none as process, ${exported.join(", ")} };`,
        };
      },
    );
  },
};

/** zod follows values that hold themselves. What a page checks came as JSON, or is copied to its worker as lists of numbers. */
const noCycles: Plugin = {
  name: "no-cycles",
  setup(bundle) {
    bundle.onLoad({ filter: /zod\/v4\/core\/memoizer\.js$/ }, () => ({
      contents: `export class $ZodCyclicError extends Error {}
export const memoizer = () => undefined;
export const [isRecursiveSchema, isBackEdge] = [() => false, () => false];`,
    }));
  },
};

const { metafile } = await build({
  entryPoints: [join(root, "client/src/browser/worker/worker.ts")],
  outdir,
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  chunkNames: "worker-[name]-[hash]",
  legalComments: "none",
  // The decoders name a file beside them that nobody fetches. webpack would look for it.
  define: { "import.meta.url": '"https://nearcast.invalid/"' },
  plugins: [onnxRuntime, decoders, noJsonSchemas, noCycles],
  metafile: true,
  absWorkingDir: root,
  logLevel: "warning",
});

const packages = Object.keys(metafile.inputs)
  .flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])
  .concat("onnxruntime-web");
const notices: string[] = [];
for (const name of [...new Set(packages)].toSorted()) {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(
    await readFile(join(folder, "package.json"), "utf8"),
  ) as Record<string, string>;
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt", "license"].find((file) =>
    existsSync(join(folder, file)),
  );
  const text = file === undefined ? "" : `\n${await readFile(join(folder, file), "utf8")}`;
  notices.push(`${name} ${version}, ${license}\n${text}`);
}
await writeFile(join(outdir, "LICENSES.txt"), notices.join(`\n${"-".repeat(80)}\n\n`));
