import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactCache } from "./types.ts";

/** Artifacts as files named by their sha256, loaded by path, which takes half the memory of bytes. */
export function createFolderCache(folder: string): ArtifactCache {
  return {
    async get(sha256, size) {
      const path = join(folder, sha256);
      const found = await stat(path).catch(() => undefined);
      return found?.size === size ? { path } : undefined;
    },
    async put(sha256, bytes) {
      const path = join(folder, sha256);
      const temporary = `${path}.${randomUUID()}.tmp`;
      try {
        await mkdir(folder, { recursive: true });
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

/** No local tier: for stores that are local themselves. */
export const noCache: ArtifactCache = {
  get: async () => undefined,
  put: async (_sha256, bytes) => ({ bytes }),
};
