// The entry of the Lambda package: runs the bundle beside it with the code that V8 compiled when the package
// was built. Node's own compile cache would not do: it is kept by user id, processor features and Node patch
// version, all of which differ on Lambda. V8 itself asks for the same version and flags of V8, and the same
// source; where it does not take the code, it compiles the source as ever.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";

const filename = join(import.meta.dirname, "bundle.cjs");
const cache = `${filename}.cache`;

// Lambda starts Node with --expose-gc, which counts as another set of flags though it changes no code.
setFlagsFromString("--no-expose-gc");
const source = readFileSync(filename, "latin1");
export const script = new Script(
  `(function (exports, require, module, __filename, __dirname) {${source}\n})`,
  { filename, ...(existsSync(cache) && { cachedData: readFileSync(cache) }) },
);
const module = {
  exports: {} as { handler: (event: unknown, context: unknown) => Promise<unknown> },
};
const run = script.runInThisContext() as (...scope: unknown[]) => void;
run(module.exports, createRequire(filename), module, filename, import.meta.dirname);

export const { handler } = module.exports;
