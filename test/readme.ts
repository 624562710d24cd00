import { readFile } from "node:fs/promises";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..");
export const readme = await readFile(join(root, "README.md"), "utf8");
/** The commands of its blocks. */
export const blocks = [...readme.matchAll(/```sh\n([^]*?)```/g)].map(([, block]) =>
  (block ?? "").trim(),
);
