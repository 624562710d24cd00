import { resolve } from "node:path";
import type { Metafile } from "esbuild";

/** The files of the project that a bundle was made of. */
export function sourcesOf({ inputs }: Metafile): string[] {
  return Object.keys(inputs)
    .filter((path) => !path.includes("node_modules/"))
    .map((path) => resolve(path));
}
