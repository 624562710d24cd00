import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { expect } from "vitest";
import { userEnvironment } from "../harness/as-a-user.ts";

/** A command that runs until it is ended. */
export interface Tool {
  output: () => string;
  /** Waits until its output matches. */
  says: (pattern: RegExp) => Promise<void>;
  /** Ends the command's own process, as a supervisor does, or also all that it started, as Ctrl-C does. */
  stop: (what?: "its process" | "its group") => Promise<void>;
  /** Processes that run in its folder. After its end these were left behind. Finds them on Linux only. */
  leftovers: () => Promise<string[]>;
}

/** Starts a command as a user would, and waits until it prints what `ready` matches. */
export async function startTool(
  command: string,
  cwd: string,
  ready: RegExp,
  env: Record<string, string> = {},
): Promise<Tool> {
  const child = spawn(command, {
    cwd,
    env: { ...userEnvironment, ...env },
    shell: true,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const tool: Tool = {
    output: () => output,
    async says(pattern) {
      await expect
        .poll(() => `${child.exitCode ?? "runs"} ${output}`, { timeout: 90_000 })
        .toMatch(pattern);
    },
    async stop(what = "its process") {
      const { pid } = child;
      if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "close");
      process.kill(what === "its group" ? -pid : pid, "SIGTERM");
      await ended;
    },
    leftovers: () => processesIn(cwd),
  };
  try {
    await tool.says(ready);
  } catch (error) {
    await tool.stop("its group");
    throw error;
  }
  return tool;
}

async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc").catch(() => [])) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (!/^\d+$/.test(pid) || !cwd.startsWith(folder)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line !== "") found.push(line.replaceAll("\0", " "));
  }
  return found;
}
