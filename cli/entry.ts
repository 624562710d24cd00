import { access } from "node:fs/promises";
import { resolve } from "node:path";

const EXTENSIONS = [".ts", ".js", ".mjs"];

/** The project's own entry: the given file, or `src/<name>` in one of the usual kinds. Rejects when there is none. */
export async function findEntry(name: string, given: string | undefined): Promise<string> {
  const candidates = given === undefined ? EXTENSIONS.map((kind) => `src/${name}${kind}`) : [given];
  for (const candidate of candidates) {
    const path = resolve(candidate);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new Error(
    given === undefined
      ? `There is no src/${name}.ts in ${process.cwd()}. Name the entry with --entry, or make a project with: nearcast init <folder>`
      : `There is no file ${given}, which --entry names.`,
  );
}
