import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Platform } from "./types.ts";

/** The documentation's files, from a folder. The folder is looked up with the first file. */
export function createFolderAssets(findFolder: () => string): Platform["asset"] {
  return async function asset(name) {
    try {
      const { buffer, byteOffset, byteLength } = await readFile(join(findFolder(), name));
      return buffer.slice(byteOffset, byteOffset + byteLength);
    } catch {
      return undefined;
    }
  };
}
