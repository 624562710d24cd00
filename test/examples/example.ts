import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LambdaBuild } from "../../cli/build/lambda.ts";
import { freePort } from "../../cli/free-port.ts";
import { startFilledS3 } from "../../cli/local/filled-s3.ts";
import { startLambda } from "../../cli/local/lambda.ts";
import { filesOfModels } from "../../cli/local/models.ts";
import { asUser } from "../harness/as-a-user.ts";
import { startWorker } from "../harness/worker.ts";
import { installProject, type Installed } from "../package/install.ts";

/** A caller's key, and the variables with which a function requires it. */
export const KEY = "k".repeat(40);
const sha256 = createHash("sha256").update(KEY).digest("hex");
export const KEYS = { AUTH: "", API_KEYS: JSON.stringify([{ name: "web", sha256 }]) };

const examples = join(import.meta.dirname, "../../examples");

/** What one of the platforms answers. */
export interface Target {
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  stop: () => Promise<unknown>;
}

export interface Example extends Installed {
  /** The commands of its README. */
  commands: string[];
}

/** An example with the packed Nearcast, in a folder of its own. */
export async function installExample(name: string): Promise<Example> {
  const readme = await readFile(join(examples, name, "README.md"), "utf8");
  const commands = [...readme.matchAll(/```sh\n([^]*?)```/g)].map(([, block = ""]) =>
    // It is installed.
    block.trim().replace("npm install && ", ""),
  );
  return { ...(await installProject(join(examples, name))), commands };
}

/** The port on which `npm start` listens now. */
export async function startExample({ folder, commands }: Example): Promise<number> {
  const port = await freePort();
  const start = commands.find((command) => command.includes("npm start")) ?? "";
  await asUser(start, folder, {
    marker: new RegExp(`http://localhost:${port}`),
    env: { PORT: String(port) },
  });
  return port;
}

/** Runs a command of the project; gives what it printed. */
export async function inProject(folder: string, command: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(folder, "node_modules", command), ...args],
    { cwd: folder, env: { ...process.env, WRANGLER_SEND_METRICS: "false" } },
  );
  return stdout;
}

/** The project's Worker in workerd, as `wrangler deploy` would upload it. */
export async function startExampleWorker(
  folder: string,
  vars: Record<string, string> = {},
): Promise<Target> {
  const directory = join(folder, "dist/worker");
  const args = ["deploy", "--dry-run", "--outdir", directory];
  await inProject(folder, "wrangler/bin/wrangler.js", args);
  const worker = await startWorker({
    directory,
    compatibilityDate: "2026-10-20",
    assets: join(folder, "node_modules/nearcast/dist/assets"),
    vars: { AUTH: "none", ...vars },
    store: "plain",
  });
  const models = join(folder, "models");
  for (const key of await filesOfModels(models))
    await worker.put(key, await readFile(join(models, key)));
  return worker;
}

/** The project's Lambda package under the runtime interface client, built with the project's own command. */
export async function startExampleLambda(
  folder: string,
  options: Pick<LambdaBuild, "base"> & { env?: Record<string, string> } = {},
): Promise<Target & { printed: string }> {
  const base = options.base === undefined ? [] : ["--base", options.base];
  const args = ["build", "lambda", process.arch, ...base];
  const printed = await inProject(folder, "nearcast/dist/package/cli/nearcast.js", args);
  const s3 = await startFilledS3(join(folder, "models"));
  const lambda = await startLambda({
    directory: join(folder, "dist/lambda", process.arch),
    handler: "index.handler",
    env: { ...s3.environment, AUTH: "none", ...options.env },
  });
  return {
    fetch: lambda.fetch,
    stop: () => Promise.all([lambda.stop(), s3.close()]),
    printed,
  };
}

export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}
