import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const END_MS = 5000;
const windows = process.platform === "win32";

/** A process with everything that it starts, in a group of its own so that all of it can be ended. */
export function startGroup(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  return spawn(process.execPath, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: !windows,
  });
}

/** Asks a group to end, and ends what is left of it after some seconds. */
export async function endGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const closed =
    child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
  signal(child, pid, "SIGTERM");
  await Promise.race([closed, sleep(END_MS, undefined, { ref: false })]);
  for (let waited = 0; isAlive(pid) && waited < END_MS; waited += 50) await sleep(50);
  signal(child, pid, "SIGKILL");
}

/** At the very end, where nothing can be waited for. */
export function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) signal(child, child.pid, "SIGKILL");
}

function signal(child: ChildProcess, pid: number, name: "SIGTERM" | "SIGKILL"): void {
  if (windows) {
    if (child.exitCode === null) spawn("taskkill", ["/pid", String(pid), "/T", "/F"]);
    return;
  }
  try {
    process.kill(-pid, name);
  } catch {
    // Nothing of it runs any more.
  }
}

function isAlive(pid: number): boolean {
  if (windows) return false;
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
