import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Copies what `.dockerignore` leaves of a folder. Its last pattern that fits a path, or a folder above it, decides. */
export async function copyContext(folder: string, to: string): Promise<void> {
  const text = await readFile(join(folder, ".dockerignore"), "utf8");
  const patterns = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  await copyBelow("");

  async function copyBelow(path: string): Promise<void> {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const own = join(path, entry.name);
      if (isIgnored(own)) continue;
      if (entry.isDirectory()) await copyBelow(own);
      else await cp(join(folder, own), join(to, own));
    }
  }

  function isIgnored(path: string): boolean {
    const parts = path.split("/");
    const above = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    const last = patterns.findLast((pattern) =>
      above.some((one) => expressionOf(pattern.replace("!", "")).test(one)),
    );
    return last !== undefined && !last.startsWith("!");
  }
}

/** Unlike a shell's, Docker's patterns also fit names that begin with a dot. */
function expressionOf(pattern: string): RegExp {
  const parts = pattern
    .split("**/")
    .map((part) => part.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`).replaceAll("*", "[^/]*"));
  return new RegExp(`^${parts.join("(?:.*/)?")}$`);
}
