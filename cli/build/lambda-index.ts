// The entry of the Lambda package. It runs the bundle beside it with the code that V8 compiled at build time. Node's own
// compile cache would not work: its key has the user id, the processor's features and Node's patch version, which all
// differ on Lambda. V8 itself only asks for the same version and flags of V8 and the same source. If it does not accept
// the code, it compiles the source as usual.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";

const filename = join(import.meta.dirname, "bundle.cjs");
const cache = `${filename}.cache`;

// Lambda starts Node with --expose-gc. To V8 that is another set of flags, although it changes no code.
setFlagsFromString("--no-expose-gc");
export const script = new Script(readFileSync(filename, "latin1"), {
  filename,
  ...(existsSync(cache) && { cachedData: readFileSync(cache) }),
});
const module = {
  exports: {} as {
    handler: ((event: unknown, context: unknown) => Promise<unknown>) & {
      ready?: Promise<unknown>;
    };
  },
};
const run = script.runInThisContext() as (...scope: unknown[]) => void;
run(module.exports, createRequire(filename), module, filename, import.meta.dirname);

export const { handler } = module.exports;
// Lambda freezes the process between the init phase and the first event.
await handler.ready;
