import { readFile } from "node:fs/promises";
import { DECODER_FILES, type LoadDecoder } from "../tasks/image/formats.ts";

/** Loads image decoders from files and compiles each once. `find` gives the path of a package's file. */
export function createFileDecoders(find: (file: string) => string): LoadDecoder {
  const compiled = new Map<string, Promise<WebAssembly.Module>>();
  return function loadDecoder(format) {
    const known = compiled.get(format);
    if (known) return known;
    const made = readFile(find(DECODER_FILES[format])).then((bytes) => WebAssembly.compile(bytes));
    compiled.set(format, made);
    made.catch(() => compiled.delete(format));
    return made;
  };
}
