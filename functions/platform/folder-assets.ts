import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Asset, Platform } from "./types.ts";

/**
 * The documentation's files, from a folder. The folder is looked up with the first file. Each file is read once, and
 * all answers share its bytes.
 */
export function createFolderAssets(findFolder: () => string): Platform["asset"] {
  const read = new Map<string, Promise<Asset | undefined>>();

  async function readAsset(name: string): Promise<Asset | undefined> {
    try {
      const body = new Uint8Array(await readFile(join(findFolder(), name)));
      const digest = createHash("sha256").update(body).digest("base64url");
      return { body, etag: `"${digest}"` };
    } catch {
      return undefined;
    }
  }

  return function asset(name) {
    const known = read.get(name) ?? readAsset(name);
    read.set(name, known);
    return known;
  };
}
