import { readdir, stat } from "node:fs/promises";
import { resolve } from "node:path";

/** Often enough to feel immediate. Polling works on every file system; notifications do not. */
const INTERVAL_MS = 300;

/** The state of each file at the last look, by path. */
type Snapshot = ReadonlyMap<string, string>;

export interface Watched {
  /** Folders that are watched with everything below them. */
  folders: readonly string[];
  /** Lists single files. It is called for each look, because a build may add files. */
  files: () => readonly string[];
}

/**
 * Calls `onChange` with the absolute paths that changed, appeared or went. Calls it when they have stopped changing, so
 * that no file is read half written. Waits for it before the next look. Ends when the signal aborts.
 */
export async function watch(
  watched: Watched,
  onChange: (paths: string[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let known = await look(watched);
  let before = known;
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    const now = await look(watched);
    const still = changes(before, now).length === 0;
    before = now;
    const changed = changes(known, now);
    if (!still || changed.length === 0 || signal.aborted) continue;
    known = now;
    await onChange(changed);
  }
}

async function look({ folders, files }: Watched): Promise<Snapshot> {
  const snapshot = new Map<string, string>();
  const add = async (path: string): Promise<void> => {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) snapshot.set(path, `${found.mtimeMs} ${found.size} ${found.ino}`);
  };
  for (const folder of folders)
    for (const path of await readdir(folder, { recursive: true }).catch(() => []))
      // Such as captured calls, which the service writes itself.
      if (!/(^|[\\/])\./.test(path)) await add(resolve(folder, path));
  for (const file of files()) await add(resolve(file));
  return snapshot;
}

function changes(before: Snapshot, after: Snapshot): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).toSorted();
}
