import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactCache } from "./types.ts";

/**
 * Artifacts as files named by their sha256, loaded by path, which takes half the memory of bytes. The
 * digest is checked again when a file is found: the folder outlives the process that wrote it.
 */
export function createFolderCache(folder: string): ArtifactCache {
  return {
    async get(sha256) {
      const path = join(folder, sha256);
      const bytes = await readFile(path).catch(() => undefined);
      return bytes && createHash("sha256").update(bytes).digest("hex") === sha256
        ? { path }
        : undefined;
    },
    async put(sha256, bytes) {
      const path = join(folder, sha256);
      const temporary = `${path}.${randomUUID()}.tmp`;
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(temporary, bytes);
        await rename(temporary, path);
        return { path };
      } catch {
        // A full or read-only disk costs the next cold start a download, not this request its answer.
        await rm(temporary, { force: true }).catch(() => undefined);
        return { bytes };
      }
    },
  };
}
