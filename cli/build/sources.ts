import { resolve } from "node:path";
import type { Metafile } from "esbuild";

/** The files of the project in a bundle. */
export function sourcesOf({ inputs }: Metafile): string[] {
  return Object.keys(inputs)
    .filter((path) => !path.includes("node_modules/"))
    .map((path) => resolve(path));
}
