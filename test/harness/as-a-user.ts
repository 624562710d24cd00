import { execFile, spawn, type ChildProcess } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterAll } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** A user's own node and npm, not the ones that npm puts first for its scripts. */
const path = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter);

/** Leaves out the settings that npm gives to its scripts. A user's shell does not have them. */
const own = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(config|lifecycle|package)_/i.test(name)),
);

/** The environment of a user's shell. */
export const userEnvironment: NodeJS.ProcessEnv = { ...own, PATH: path, CI: "true" };

const started: ChildProcess[] = [];
const clones: string[] = [];
afterAll(async () => {
  // Each command leads a process group of its own, until it has exited.
  for (const { pid, exitCode } of started)
    if (pid && exitCode === null) process.kill(-pid, "SIGTERM");
  for (const clone of clones) await rm(clone, { recursive: true, force: true });
});

/** A folder with the files of a clone of the repository. It is deleted after the test file. */
export async function makeClone(): Promise<string> {
  const clone = await mkdtemp(join(tmpdir(), "nearcast-clone-"));
  clones.push(clone);
  const { stdout } = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  for (const file of stdout.trim().split("\n"))
    await cp(join(root, file), join(clone, file), { recursive: true });
  return clone;
}

/** Starts a command as a user would. Resolves to its output when it ends or prints a match of `marker`. */
export async function asUser(
  command: string,
  cwd: string,
  { marker, env = {} }: { marker?: RegExp; env?: Record<string, string> } = {},
): Promise<string> {
  const child = spawn(command, {
    cwd,
    env: { ...userEnvironment, ...env },
    shell: true,
    detached: true,
  });
  started.push(child);
  let output = "";
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (marker?.test(output)) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("close", (code) => {
      if (code === 0 && !marker) resolve();
      else reject(new Error(`${command} exited with ${code}:\n${output}`));
    });
  });
  return output;
}

/** Runs a line with curl on `port` instead of 8787. Resolves to the JSON that it prints. */
export async function curl(line: string, port: number): Promise<unknown> {
  const { stdout } = await run("sh", [
    "-c",
    line.replaceAll("localhost:8787", `localhost:${port}`),
  ]);
  return JSON.parse(stdout);
}
