import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "node:util";
import { onTestFinished } from "vitest";
import type { S3Server } from "../../cli/local/s3-server.ts";
import { run } from "../../cli/run.ts";

export const root = join(import.meta.dirname, "../..");

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface ProcessOptions {
  env?: Record<string, string>;
  /** The folder with the command. By default this repository. */
  repository?: string;
  /** Called with the process, for tests that end it. */
  onStart?: (child: ChildProcess) => void;
}

type Command = (
  args: readonly string[],
  options?: { env?: Record<string, string> },
) => Promise<Outcome>;

/** All that the command gets of the environment. */
export const environment = (env: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  TMPDIR: tmpdir(),
  // Do not look up an instance's role: tests have no network.
  AWS_EC2_METADATA_DISABLED: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  // Without this cache, compiling the same files takes a third of most runs.
  NODE_COMPILE_CACHE: join(root, ".cache/compile"),
  ...env,
});

let before: Promise<unknown> = Promise.resolve();

/**
 * Runs the command in this process, which has loaded its modules already: starting one takes longer than most commands
 * run. One runs after the other, because a process has one environment and one standard output.
 */
export const nearcast: Command = (args, { env } = {}) => {
  const outcome = before.then(() => runHere(args, environment(env)));
  before = outcome.catch(() => undefined);
  return outcome;
};

async function runHere(args: readonly string[], env: Record<string, string>): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const ours = {
    env: process.env,
    log: console.log,
    error: console.error,
    writeOut: process.stdout.write.bind(process.stdout),
    writeError: process.stderr.write.bind(process.stderr),
  };
  process.env = env;
  console.log = (...values: unknown[]) => void (stdout += `${format(...values)}\n`);
  console.error = (...values: unknown[]) => void (stderr += `${format(...values)}\n`);
  process.stdout.write = (chunk: unknown) => ((stdout += String(chunk)), true);
  process.stderr.write = (chunk: unknown) => ((stderr += String(chunk)), true);
  try {
    const code = await run(args);
    return { code, stdout, stderr };
  } finally {
    process.env = ours.env;
    console.log = ours.log;
    console.error = ours.error;
    process.stdout.write = ours.writeOut;
    process.stderr.write = ours.writeError;
  }
}

/** Runs the real command, for tests of the process itself. */
export function nearcastProcess(
  args: readonly string[],
  { env, repository = root, onStart }: ProcessOptions = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, [join(repository, "cli/nearcast.ts"), ...args], {
    cwd: repository,
    env: environment(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  onStart?.(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs the command, fails unless it succeeds, and gives what it printed. */
export async function succeed(
  args: readonly string[],
  env: Record<string, string> = {},
  command: Command = nearcast,
): Promise<string> {
  const { code, stdout, stderr } = await command(args, { env });
  if (code !== 0) throw new Error(`nearcast ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout;
}

export function fixture(name: string): string {
  return join(import.meta.dirname, "fixtures", name);
}

/** A temporary folder, removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-cli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The variables with which the command reaches the stand-in for S3. */
export function s3Environment({ endpoint }: S3Server): Record<string, string> {
  return {
    S3_ENDPOINT: endpoint,
    S3_FORCE_PATH_STYLE: "true",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  };
}

/** Every file below a folder with its digest: equal when nothing has changed. */
export async function snapshot(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[path] = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  }
  return files;
}

let lines: Promise<string> | undefined;

/** Two recorded versions of `line` in `models`: the sum of three numbers, and ten times it. */
export async function addLines(models: string): Promise<void> {
  lines ??= makeLines();
  await cp(await lines, models, { recursive: true });
}

/** Made once for all tests of a file. */
async function makeLines(): Promise<string> {
  const models = await mkdtemp(join(tmpdir(), "nearcast-cli-lines-"));
  for (const version of ["1", "2"]) {
    const columns = ["--features", "a,b,c", "--models", models];
    await succeed(["add", fixture(`line-${version}.onnx`), "--name", "line", ...columns]);
    const native = ["--runtime", "native"];
    await succeed(["verify", `line@${version}`, "--record", "--models", models, ...native]);
  }
  return models;
}

/** Call this after all tests of a file. */
export async function removeLines(): Promise<void> {
  if (lines) await rm(await lines, { recursive: true, force: true });
}
