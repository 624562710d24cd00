import { rename, writeFile } from "node:fs/promises";

/** Writes a file so that nobody ever reads a part of it. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}
