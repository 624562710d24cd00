import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { userEnvironment } from "../harness/as-a-user.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

interface Step {
  uses?: string;
  with?: Record<string, string>;
  if?: string;
  run?: string;
  env?: Record<string, string>;
}

export interface Workflow {
  env?: Record<string, string>;
  permissions: Record<string, string>;
  concurrency?: { group: string };
  jobs: Record<
    string,
    {
      env?: Record<string, string>;
      if?: string;
      environment?: string;
      steps: Step[];
      permissions?: Record<string, string>;
      "timeout-minutes"?: number;
    }
  >;
}

/** What GitHub would know of the run. Each `${{ … }}` of a workflow must be among them. */
export type Context = Record<string, string>;

export interface Run {
  /** The bare repository that the runner checks out. */
  repository: string;
  workflow: string;
  job: string;
  context?: Context;
  /** What the machines that the test starts want besides: where the stand-in for a cloud is. */
  env?: Record<string, string>;
  /** Installed packages of an earlier run of the same lock file, in place of `npm ci`. */
  installed?: string;
  /** A step that needs a cloud runs as this says instead. */
  instead?: (command: string) => string | undefined;
}

export interface Outcome {
  /** The checked out folder. */
  folder: string;
  /** The steps that ran, as the workflow has them. */
  ran: string[];
  output: string;
  failed: string | undefined;
}

async function readWorkflow(path: string): Promise<Workflow> {
  return parse(await readFile(path, "utf8")) as Workflow;
}

/** Runs the steps of one job as a fresh runner does: from a clone, with Node, npm, Python and git. */
export async function runJob(options: Run): Promise<Outcome> {
  const { repository, context = {}, installed } = options;
  const folder = join(await mkdtemp(join(tmpdir(), "nearcast-runner-")), "work");
  await run("git", ["clone", "--quiet", repository, folder]);
  const workflow = await readWorkflow(join(folder, ".github/workflows", options.workflow));
  const job = workflow.jobs[options.job];
  if (!job) throw new Error(`${options.workflow} has no job ${options.job}`);
  const outcome: Outcome = { folder, ran: [], output: "", failed: undefined };
  if (installed) await symlink(join(installed, "node_modules"), join(folder, "node_modules"));
  const env = {
    ...runnerEnvironment(),
    ...filled({ ...workflow.env, ...job.env }, context),
    ...options.env,
  };
  for (const step of job.steps) {
    if (step.uses !== undefined) {
      if (!((step.uses.split("@")[0] as string) in ACTIONS))
        throw new Error(`What is ${step.uses}?`);
      continue;
    }
    if (step.run === undefined || (step.if !== undefined && !holds(step.if, context))) continue;
    if (installed && step.run === "npm ci") continue;
    outcome.ran.push(step.run);
    const command = options.instead?.(step.run) ?? step.run;
    try {
      const { stdout, stderr } = await run(
        "bash",
        ["--noprofile", "--norc", "-eo", "pipefail", "-c", command],
        {
          cwd: folder,
          env: { ...env, ...filled(step.env ?? {}, context) },
          maxBuffer: 64 * 1024 * 1024,
        },
      );
      outcome.output += stdout + stderr;
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      outcome.output += stdout + stderr;
      outcome.failed = step.run;
      return outcome;
    }
  }
  return outcome;
}

/** What these do is done already: the clone, and the PATH. AWS's keys are in the environment. */
const ACTIONS = {
  "actions/checkout": true,
  "actions/setup-node": true,
  "actions/setup-python": true,
  "aws-actions/configure-aws-credentials": true,
};

/** Nothing of the test's own process but where the system's and the runner's programs are. */
function runnerEnvironment(): Record<string, string> {
  const python = [".cache/training-venv/bin"].map((path) => join(root, path)).filter(existsSync);
  // The Node of setup-node.
  const node = dirname(join(root, "node_modules/node/bin/node"));
  const { PATH = "", HOME = "" } = userEnvironment;
  return {
    PATH: [...python, node, PATH].join(delimiter),
    HOME,
    TMPDIR: tmpdir(),
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_ACTOR: "octocat",
    AWS_EC2_METADATA_DISABLED: "true",
    WRANGLER_SEND_METRICS: "false",
    // What is in npm's cache need not be asked for again.
    npm_config_prefer_offline: "true",
  };
}

function filled(env: Record<string, string>, context: Context): Record<string, string> {
  const fill = (text: string) =>
    text.replaceAll(/\$\{\{ (.+?) \}\}/g, (_, name: string) => valueOf(name, context));
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, fill(text)]));
}

/** A variable or a secret that was not set is empty, as on GitHub. */
function valueOf(name: string, context: Context): string {
  const value = context[name];
  if (value === undefined && !/^(vars|secrets)\./.test(name)) throw new Error(`What is ${name}?`);
  return value ?? "";
}

function holds(condition: string, context: Context): boolean {
  const [, name = "", operator, value] = /^([\w.]+) (==|!=) '(\w+)'$/.exec(condition) ?? [];
  if (operator === undefined) throw new Error(`What is ${condition}?`);
  return (valueOf(name, context) === value) === (operator === "==");
}

/** A bare repository with what a folder has, and a way to change it as a developer would. */
export async function publishedRepository(folder: string) {
  const parent = await mkdtemp(join(tmpdir(), "nearcast-repository-"));
  const bare = join(parent, "project.git");
  const git = (...args: string[]) =>
    run("git", ["-c", "user.name=Dev", "-c", "user.email=dev@example.com", ...args], {
      cwd: folder,
    });
  await mkdir(bare);
  await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", bare]);
  await git("init", "--quiet", "--initial-branch=main");
  await git("remote", "add", "origin", bare);
  return {
    bare,
    /** Commits all changes and pushes them. */
    async push(message: string) {
      await git("add", "--all");
      await git("commit", "--quiet", "--allow-empty", "-m", message);
      await git("push", "--quiet", "origin", "main");
    },
  };
}

/** Keeps the packages that `npm ci` installed in a run, for later ones. */
export async function keepInstalled(folder: string): Promise<string> {
  const kept = await mkdtemp(join(tmpdir(), "nearcast-installed-"));
  await rename(join(folder, "node_modules"), join(kept, "node_modules"));
  await symlink(join(kept, "node_modules"), join(folder, "node_modules"));
  return kept;
}
