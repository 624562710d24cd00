import { createHash, randomUUID } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  MAX_UNTOLD_BYTES,
  StoreRefusal,
  type PutCondition,
  type Store,
} from "../../model/store.ts";
import { TooManyBytes } from "../../read-at-most.ts";
import { folderParts } from "./folder-parts.ts";

/** A folder as a store. Keys are paths below it; ETags are digests of the content. */
export function createFolderStore(folder: string): Store {
  const pathOf = (key: string): string => join(folder, ...key.split("/"));
  async function read(
    key: string,
    maxBytes: number,
  ): Promise<{ bytes: Uint8Array; etag: string } | undefined> {
    const path = pathOf(key);
    const found = await stat(path).catch(unlessMissing);
    if (found && found.size > maxBytes) throw new TooManyBytes(key, maxBytes);
    // A pipe or a device may never end.
    const bytes = found?.isFile() ? await readFile(path).catch(unlessMissing) : undefined;
    if (!bytes) await checkFolder(folder);
    return bytes && { bytes, etag: etagOf(bytes) };
  }

  return {
    async get(key, { ifNoneMatch, maxBytes = MAX_UNTOLD_BYTES } = {}) {
      const found = await read(key, maxBytes);
      return found && found.etag === ifNoneMatch ? "not-modified" : found;
    },
    async head(key) {
      const path = pathOf(key);
      const found = await stat(path).catch(unlessMissing);
      if (!found) await checkFolder(folder);
      if (!found?.isFile()) return undefined;
      // It may be a file of inputs that is larger than the memory.
      const hash = createHash("sha256");
      for await (const part of createReadStream(path)) hash.update(part as Buffer);
      return { etag: etagOfDigest(hash.digest("hex")), size: found.size };
    },
    async slice(key, start, end) {
      const file = await open(pathOf(key)).catch(unlessMissing);
      if (!file) await checkFolder(folder);
      try {
        if (!file || !(await file.stat()).isFile()) return undefined;
        const bytes = new Uint8Array(end - start);
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        return bytes.subarray(0, bytesRead);
      } finally {
        await file?.close();
      }
    },
    async list(prefix) {
      const entries = await readdir(pathOf(prefix), { withFileTypes: true }).catch(unlessMissing);
      if (!entries) await checkFolder(folder);
      const shown = (entries ?? []).filter(({ name }) => !name.startsWith("."));
      const paths = await Promise.all(shown.map(filesOf));
      return paths
        .flat()
        .map((path) => relative(folder, path).replaceAll(sep, "/"))
        .toSorted();
    },
    async put(key, bytes, condition) {
      const path = pathOf(key);
      const temporary = `${path}.${randomUUID()}.tmp`;
      await writeBelow(temporary, bytes);
      try {
        return await place(temporary, path, etagOf(bytes), condition);
      } finally {
        await rm(temporary, { force: true });
      }
    },
    inParts: folderParts(pathOf),
    async delete(key) {
      const path = pathOf(key);
      // A conditional write that has compared already would bring it back.
      await locked(path, () => rm(path, { force: true })).catch(unlessMissing);
      // An empty folder is no object. Others fail here.
      if (key.includes("/")) await rmdir(dirname(path)).catch(() => {});
    },
  };
}

const MOST_FOLDERS = 5;

/** Makes the folders too, again where another process removes one that is still empty. */
async function writeBelow(path: string, bytes: Uint8Array): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await mkdir(dirname(path), { recursive: true });
      return await writeFile(path, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || tries === MOST_FOLDERS) throw error;
    }
  }
}

/** The paths of all files of an entry: its own, or those below it. */
async function filesOf(entry: Dirent): Promise<string[]> {
  const path = join(entry.parentPath, entry.name);
  if (!entry.isDirectory()) return entry.isFile() ? [path] : [];
  const below = await readdir(path, { recursive: true, withFileTypes: true }).catch(unlessMissing);
  return (below ?? []).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

/** A missing file is only an absent key. With a missing folder, the store cannot answer. */
async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => {
    throw asRefusal(error);
  });
  if (!found.isDirectory())
    throw new StoreRefusal("STORE names a file, not a folder", new Error(folder));
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code === "ENOENT" || error.code === "ENOTDIR")
    return new StoreRefusal("STORE names a folder that does not exist", error);
  if (error.code === "EACCES" || error.code === "EPERM")
    return new StoreRefusal("access to its folder is denied", error);
  return error;
}

/** Moves the written file to its place in one atomic step. */
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
    const { ifMatch } = condition;
    const isPlaced = await locked(path, async () => {
      const current = await readFile(path).catch(unlessMissing);
      if (!current || etagOf(current) !== ifMatch) return false;
      await rename(temporary, path);
      return true;
    });
    if (!isPlaced) return undefined;
  }
  return etag;
}

/** Changes a file while no other process does. */
async function locked<T>(path: string, change: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  await acquire(lock);
  try {
    return await change();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** A lock of this age was left by a process that died: a write takes milliseconds. */
const ABANDONED_AFTER_MS = 60_000;
/** Longest wait for a lock. */
const PATIENCE_MS = 1000;
const RETRY_MS = 20;

/** Takes the lock. Rejects when it is still held after {@link PATIENCE_MS}. The error names the lock and its age. */
async function acquire(lock: string): Promise<void> {
  const start = performance.now();
  while (!(await tryToAcquire(lock))) {
    if (performance.now() - start > PATIENCE_MS) throw await heldError(lock);
    await sleep(RETRY_MS);
  }
}

async function tryToAcquire(lock: string): Promise<boolean> {
  if ((await mkdir(lock).catch(unlessExisting)) !== "exists") return true;
  const found = await stat(lock).catch(unlessMissing);
  if (!found || !isAbandoned(found)) return false;
  // Two processes may find the lock abandoned. The slower one must not remove the new lock of the faster one. So only
  // the holder of a second lock, named after the first, may remove it. If that holder dies, its lock is taken over in
  // the same way.
  const removal = `${lock}.${found.ino}-${Math.trunc(found.mtimeMs)}`;
  if (!(await tryToAcquire(removal))) return false;
  try {
    const now = await stat(lock).catch(unlessMissing);
    if (now?.ino === found.ino && now.mtimeMs === found.mtimeMs)
      await rm(lock, { recursive: true, force: true });
  } finally {
    await rm(removal, { recursive: true, force: true });
  }
  return (await mkdir(lock).catch(unlessExisting)) !== "exists";
}

/** A lock from the future counts too: it was made before the clock was set back. */
function isAbandoned({ mtimeMs }: { mtimeMs: number }): boolean {
  return Math.abs(Date.now() - mtimeMs) >= ABANDONED_AFTER_MS;
}

async function heldError(lock: string): Promise<Error> {
  const found = await stat(lock).catch(unlessMissing);
  const seconds = Math.max(0, Math.round((Date.now() - (found?.mtimeMs ?? Date.now())) / 1000));
  return new Error(
    `Another process is writing: the lock ${lock} is ${seconds} s old. A lock that a killed process left is taken over after ${ABANDONED_AFTER_MS / 1000} s: try again then.`,
  );
}

function etagOf(bytes: Uint8Array): string {
  return etagOfDigest(createHash("sha256").update(bytes).digest("hex"));
}

function etagOfDigest(digest: string): string {
  return `"${digest.slice(0, 32)}"`;
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR" && error.code !== "EISDIR")
    throw asRefusal(error);
}

function unlessExisting(error: NodeJS.ErrnoException): "exists" {
  if (error.code !== "EEXIST") throw error;
  return "exists";
}
