import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";

/** A module beside this command's others, as a file for a process of its own: `.ts` from the sources, `.js` installed. */
export function ownModule(path: string): string {
  return join(import.meta.dirname, `${path}${extname(import.meta.filename)}`);
}

/** Where the package itself lies: the repository, or `node_modules/nearcast` of a project. */
export function packageRoot(): string {
  return dirname(createRequire(import.meta.url).resolve("nearcast/package.json"));
}
