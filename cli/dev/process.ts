import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { within } from "../../functions/within.ts";

const END_MS = 5000;
/** Process groups that were asked to end and still have time for it. */
const ending = new WeakSet<ChildProcess>();
const windows = process.platform === "win32";

/** A process in a group of its own, so that everything it starts can be ended with it. */
export function startGroup(
  args: readonly string[],
  { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): ChildProcess & { stdout: NodeJS.ReadableStream; stderr: NodeJS.ReadableStream } {
  const child = spawn(process.execPath, args, {
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: !windows,
  });
  const atExit = (): void => killGroup(child);
  const atAbort = (): void => void endGroup(child);
  process.once("exit", atExit);
  if (signal.aborted) atAbort();
  else signal.addEventListener("abort", atAbort, { once: true });
  child.once("exit", () => {
    process.off("exit", atExit);
    signal.removeEventListener("abort", atAbort);
    // What it started ends with it.
    if (!ending.has(child)) killGroup(child);
  });
  return child;
}

/** Asks a group to end. After some seconds, kills what is left of it. */
export async function endGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  ending.add(child);
  const exited =
    child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
  send(child, pid, "SIGTERM");
  if (exited) await within(exited, END_MS, () => undefined);
  for (let waited = 0; isAlive(pid) && waited < END_MS; waited += 50) await sleep(50);
  send(child, pid, "SIGKILL");
}

/** For the exit of this process, when nothing can be waited for. */
function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) send(child, child.pid, "SIGKILL");
}

function send(child: ChildProcess, pid: number, name: "SIGTERM" | "SIGKILL"): void {
  if (windows) {
    if (child.exitCode === null) spawn("taskkill", ["/pid", String(pid), "/T", "/F"]);
    return;
  }
  try {
    process.kill(-pid, name);
  } catch {
    // All of it has ended.
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
