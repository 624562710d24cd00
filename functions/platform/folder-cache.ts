import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactCache } from "./types.ts";

/** Artifacts as files named by their sha256, loaded by path, which takes half the memory of bytes. */
export function createFolderCache(folder: string): ArtifactCache {
  return {
    async get(sha256, size) {
      const path = join(folder, sha256);
      try {
        // A disk can lose bytes, and others can write to a temporary folder.
        const sound = (await stat(path)).size === size && (await digestOf(path)) === sha256;
        return sound ? { path } : undefined;
      } catch {
        return undefined;
      }
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

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest("hex");
}

/** No local tier: for stores that are local themselves. */
export const noCache: ArtifactCache = {
  get: async () => undefined,
  put: async (_sha256, bytes) => ({ bytes }),
};
