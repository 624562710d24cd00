import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Names of artifacts, finished and half written. No other file in the folder is touched. */
const OWN = /^[0-9a-f]{64}(\.[0-9a-f-]{36}\.tmp)?$/;
/** A file that was used more recently may still be loading, in this process or in another. */
const IN_USE_MS = 60_000;
/** A temporary file of this age was left by a process that died. */
const ABANDONED_MS = 3_600_000;

interface Found {
  path: string;
  size: number;
  /** Milliseconds since the file was last used or written. */
  age: number;
}

/**
 * Removes the files of the folder that were used longest ago, until `bytes` more fit into `maxBytes`. False when they
 * do not fit without removing a file that is in use.
 */
export async function makeRoom(folder: string, maxBytes: number, bytes: number): Promise<boolean> {
  if (bytes > maxBytes) return false;
  const found = (await Promise.all((await ownFiles(folder)).map(look))).flatMap(
    (file) => file ?? [],
  );
  let total = found.reduce((sum, { size }) => sum + size, bytes);
  for (const { path, size, age } of found.toSorted((a, b) => b.age - a.age)) {
    const isAbandoned = path.endsWith(".tmp") && age > ABANDONED_MS;
    if (!isAbandoned && total <= maxBytes) continue;
    if (!isAbandoned && (age < IN_USE_MS || path.endsWith(".tmp"))) continue;
    // Another process may have removed it, or on Windows have it open.
    const gone = await rm(path, { force: true }).then(
      () => true,
      () => false,
    );
    if (gone) total -= size;
  }
  return total <= maxBytes;
}

async function ownFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => OWN.test(name)).map((name) => join(folder, name));
}

/** Undefined when another process has just removed it. */
async function look(path: string): Promise<Found | undefined> {
  const found = await stat(path).catch(() => undefined);
  // A time in the future comes from before the clock was set back.
  return found && { path, size: found.size, age: Math.abs(Date.now() - found.mtimeMs) };
}
