import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";

/** The file of a module of this command, to run in its own process: `.ts` in the sources, `.js` when installed. */
export function ownModule(path: string): string {
  return join(import.meta.dirname, `${path}${extname(import.meta.filename)}`);
}

/** The package's own folder: the repository, or `node_modules/nearcast` of a project. */
export function packageRoot(): string {
  return dirname(createRequire(import.meta.url).resolve("nearcast/package.json"));
}
