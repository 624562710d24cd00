import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { PutCondition, Store } from "../types.ts";

/** A folder as a store: keys are paths below it, ETags are digests of the content. */
export function createFolderStore(folder: string): Store {
  const pathOf = (key: string): string => join(folder, ...key.split("/"));

  async function read(key: string): Promise<{ bytes: Uint8Array; etag: string } | undefined> {
    const bytes = await readFile(pathOf(key)).catch(unlessMissing);
    // A missing file is an absent key; a missing folder is a store that cannot answer.
    if (!bytes) await stat(folder);
    return bytes && { bytes, etag: etagOf(bytes) };
  }

  return {
    async get(key, { ifNoneMatch } = {}) {
      const found = await read(key);
      return found && found.etag === ifNoneMatch ? "not-modified" : found;
    },
    async head(key) {
      const found = await read(key);
      return found && { etag: found.etag, size: found.bytes.byteLength };
    },
    async list(prefix) {
      const entries = await readdir(pathOf(prefix), { recursive: true, withFileTypes: true }).catch(
        unlessMissing,
      );
      if (!entries) await stat(folder);
      return (entries ?? [])
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, "/"))
        .toSorted();
    },
    async put(key, bytes, condition) {
      const path = pathOf(key);
      await mkdir(dirname(path), { recursive: true });
      const temporary = `${path}.${randomUUID()}.tmp`;
      await writeFile(temporary, bytes);
      try {
        return await place(temporary, path, etagOf(bytes), condition);
      } finally {
        await rm(temporary, { force: true });
      }
    },
  };
}

/** Puts the written file in its place in one step that either happens whole or not at all. */
async function place(
  temporary: string,
  path: string,
  etag: string,
  condition: PutCondition | undefined,
): Promise<string | undefined> {
  if (!condition) await rename(temporary, path);
  else if ("ifNoneMatch" in condition) {
    const placed = await link(temporary, path).catch(unlessExisting);
    if (placed === "exists") return undefined;
  } else {
    const lock = `${path}.lock`;
    if (!(await acquire(lock))) return undefined;
    try {
      const current = await readFile(path).catch(unlessMissing);
      if (!current || etagOf(current) !== condition.ifMatch) return undefined;
      await rename(temporary, path);
    } finally {
      await rm(lock, { recursive: true, force: true });
    }
  }
  return etag;
}

/** A write takes milliseconds: a lock of this age was left by a process that has died. */
const ABANDONED_AFTER_MS = 60_000;

async function acquire(lock: string): Promise<boolean> {
  if ((await mkdir(lock).catch(unlessExisting)) !== "exists") return true;
  const found = await stat(lock).catch(unlessMissing);
  if (!found || Date.now() - found.mtimeMs < ABANDONED_AFTER_MS) return false;
  // Only who makes this folder, named after the very lock, may remove it: of two that find it abandoned,
  // the slower one must not remove the lock that the faster one has taken since.
  const removal = `${lock}.${found.ino}-${Math.trunc(found.mtimeMs)}`;
  if ((await mkdir(removal).catch(unlessExisting)) === "exists") return false;
  try {
    const now = await stat(lock).catch(unlessMissing);
    if (now?.ino === found.ino && now.mtimeMs === found.mtimeMs)
      await rm(lock, { recursive: true, force: true });
  } finally {
    await rm(removal, { recursive: true, force: true });
  }
  return (await mkdir(lock).catch(unlessExisting)) !== "exists";
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}"`;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR" && error.code !== "EISDIR") throw error;
}

function unlessExisting(error: NodeJS.ErrnoException): "exists" {
  if (error.code !== "EEXIST") throw error;
  return "exists";
}
