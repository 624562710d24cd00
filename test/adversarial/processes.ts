import { readdirSync, readFileSync } from "node:fs";

/** The processes that this one started and those that they did, by id; empty where there is no /proc. */
export function descendants(pid = process.pid): number[] {
  const children = read(() => readdirSync(`/proc/${pid}/task`), []).flatMap((task) =>
    read(() => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8"), "")
      .split(" ")
      .filter(Boolean)
      .map(Number),
  );
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Bytes that these processes have in memory. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const status = read(() => readFileSync(`/proc/${pid}/status`, "utf8"), "");
    return sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }, 0);
}

/** A process may end while it is looked at. */
function read<T>(from: () => T, otherwise: T): T {
  try {
    return from();
  } catch {
    return otherwise;
  }
}
