import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import type { Asset, PageAsset, Platform } from "./types.ts";

const compress = promisify(gzip);

/**
 * Serves the pages' files from a folder. The first request looks the folder up. Each file is read and
 * compressed once, and all answers share its bytes.
 */
export function createFolderAssets(findFolder: () => string): Platform["asset"] {
  const made = new Map<string, Promise<Asset | undefined>>();

  async function make(name: PageAsset, isGzip: boolean): Promise<Asset | undefined> {
    try {
      const file = await readFile(join(findFolder(), name));
      const level = constants.Z_BEST_COMPRESSION;
      const body = new Uint8Array(isGzip ? await compress(file, { level }) : file);
      const digest = createHash("sha256").update(body).digest("base64url");
      return { body, etag: `"${digest}"`, isGzip };
    } catch {
      return undefined;
    }
  }

  return function asset(name, { takesGzip }) {
    const key = `${name} ${takesGzip}`;
    const known = made.get(key) ?? make(name, takesGzip);
    made.set(key, known);
    return known;
  };
}
