import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeRoom } from "./folder-room.ts";
import { logLine } from "./log.ts";
import type { ArtifactCache } from "./types.ts";

/**
 * Artifacts as files named by their sha256. Loading by path takes half the memory of loading bytes. Does not use a
 * folder where others could swap a file after its digest was checked. All files together take at most `maxBytes`: the
 * least recently used ones are removed first. Other processes may use the same folder. No process removes a file that
 * another has just opened. Processes that write at the same moment can exceed the bound together.
 */
export function createFolderCache(folder: string, maxBytes: number): ArtifactCache {
  let warned = false;
  /** Writes run one after the other, so that each sees how much room the one before it took. */
  let writing: Promise<unknown> = Promise.resolve();

  async function isSafe(): Promise<boolean> {
    if (await isOwn(folder)) return true;
    const message = "cache folder not used: it is another user's, or others can write to it";
    if (!warned) logLine({ level: "warn", message, folder });
    warned = true;
    return false;
  }

  async function write(sha256: string, bytes: Uint8Array): Promise<string | undefined> {
    const path = join(folder, sha256);
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (!(await isSafe())) return undefined;
      if (!(await makeRoom(folder, maxBytes, bytes.byteLength))) return undefined;
      await writeFile(temporary, bytes);
      await rename(temporary, path);
      return path;
    } catch {
      // The disk is full or read-only. This request still gets its answer; the next cold start downloads again.
      await rm(temporary, { force: true }).catch(() => undefined);
      return undefined;
    }
  }

  return {
    async get(sha256, size) {
      const path = join(folder, sha256);
      try {
        if (!(await isSafe())) return undefined;
        // Marks it as used before it is read, so that nobody removes it meanwhile.
        const now = new Date();
        await utimes(path, now, now).catch(() => undefined);
        return await checkedFile(path, { sha256, size });
      } catch {
        return undefined;
      }
    },
    async put(sha256, bytes) {
      const written = writing.then(() => write(sha256, bytes));
      writing = written;
      const path = await written;
      return path === undefined ? { bytes } : { path };
    },
  };
}

/** The file, if it has these bytes. Undefined when it does not exist or is damaged: a disk can lose bytes. */
export async function checkedFile(
  path: string,
  { sha256, size }: { sha256: string; size: number },
): Promise<{ path: string } | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== size) return undefined;
  const digest = await digestOf(path).catch(() => undefined);
  return digest === sha256 ? { path } : undefined;
}

/** Windows has no such owners. There the temporary folder belongs to the user. */
async function isOwn(folder: string): Promise<boolean> {
  const user = process.geteuid?.();
  if (user === undefined) return true;
  // A link counts only when this user made it and owns its target.
  const [entry, { uid, mode }] = await Promise.all([lstat(folder), stat(folder)]);
  return entry.uid === user && uid === user && (mode & WRITABLE_BY_OTHERS) === 0;
}

const WRITABLE_BY_OTHERS = 0o022;

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
