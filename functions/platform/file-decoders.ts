import { readFile } from "node:fs/promises";
import { DECODER_FILES, type LoadDecoder } from "../tasks/image/formats.ts";

/** The decoders of images from files, each compiled once. `find` gives the path of what a package calls so. */
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
