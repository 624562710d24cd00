import { spawn } from "node:child_process";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { ownModule } from "../own-module.ts";

export interface Ric {
  transport: "native" | "javascript";
  /** Arguments for node. */
  args: string[];
}

const buildLimit = 240_000;
let announced: string | undefined;

/** The folders of the package and of its compiled copy, which may not exist yet. */
interface Place {
  packageFolder: string;
  cache: string;
  target: string;
}

/**
 * Finds out how to run `aws-lambda-ric`. It always runs the published index.mjs. The addon for its three HTTP calls is
 * either the one that {@link compileRic} made, or a replacement in JavaScript.
 */
export async function findRic(transport?: Ric["transport"]): Promise<Ric> {
  const { packageFolder, cache, target } = await findPlace();
  const built = transport === "javascript" || !isCompiled(target) ? undefined : target;
  if (built === undefined && transport === "native")
    throw new Error(`aws-lambda-ric is not compiled: see ${cache}`);
  const ric: Ric =
    built === undefined
      ? {
          transport: "javascript",
          args: [
            "--import",
            pathToFileURL(ownModule("local/ric-javascript-transport")).href,
            path.join(packageFolder, "index.mjs"),
          ],
        }
      : { transport: "native", args: [path.join(built, "index.mjs")] };
  if (announced !== ric.transport) console.log(`aws-lambda-ric: ${ric.transport} transport`);
  announced = ric.transport;
  return ric;
}

async function findPlace(): Promise<Place> {
  const packageFolder = findPackage();
  const cache = path.join(packageFolder, "..", ".cache", "aws-lambda-ric");
  const { version } = JSON.parse(
    await readFile(path.join(packageFolder, "package.json"), "utf8"),
  ) as { version: string };
  const target = path.join(cache, `${version}-${process.platform}-${process.arch}`);
  return { packageFolder, cache, target };
}

/** The project's own copy, or the one beside this package. */
function findPackage(): string {
  for (const from of [path.join(process.cwd(), "package.json"), import.meta.filename])
    try {
      return path.dirname(createRequire(from).resolve("aws-lambda-ric/package.json"));
    } catch {
      // Look in the next place.
    }
  throw new Error(
    "Lambda's runtime interface client is not installed. Get it with: npm install --save-dev --ignore-scripts aws-lambda-ric",
  );
}

function isCompiled(target: string): boolean {
  return existsSync(path.join(target, "rapid-client.node"));
}

/** Compiles the addon with the package's own scripts, if the tools are there and it was not tried before. */
export async function compileRic(): Promise<void> {
  const place = await findPlace();
  const { cache, target } = place;
  // The package's own scripts work on Linux only.
  if (isCompiled(target) || process.platform !== "linux") return;
  await mkdir(cache, { recursive: true });
  const tools = "command -v make && command -v g++ && { command -v cmake || command -v cmake3; }";
  if ((await run("sh", ["-c", tools], cache, 5_000)) !== undefined) return;
  const failure = `${target}.failed`;
  const unlock = await lock(`${target}.lock`);
  try {
    if (isCompiled(target) || existsSync(failure)) return;
    const error = await build(place);
    if (error !== undefined)
      await writeFile(failure, `${error}\n\nDelete this file to try again.\n`);
  } finally {
    await unlock();
  }
}

async function build({ packageFolder, target }: Place): Promise<string | undefined> {
  const copy = `${target}.building`;
  await rm(copy, { recursive: true, force: true });
  await cp(packageFolder, copy, { recursive: true });
  const deadline = Date.now() + buildLimit;
  console.log("aws-lambda-ric: compiling its transport once (about a minute)");
  for (const script of ["preinstall", "postinstall"]) {
    const error = await run("sh", [`scripts/${script}.sh`], copy, deadline - Date.now());
    if (error !== undefined) {
      await rm(copy, { recursive: true, force: true });
      return `${script}: ${error}`;
    }
  }
  await rm(path.join(copy, "deps"), { recursive: true, force: true });
  await rm(path.join(copy, "src"), { recursive: true, force: true });
  await rename(copy, target);
  return undefined;
}

/** Resolves to undefined. When the command fails, resolves to the end of its output. */
function run(
  command: string,
  args: string[],
  cwd: string,
  limit: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    // It gets its own process group, so that its compilers end with it.
    const child = spawn(command, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const timer = setTimeout(
      () => {
        output += `\nstopped after ${limit} ms`;
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      },
      Math.max(1, limit),
    );
    child.on("error", (error) => (output += error.message));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? undefined : output || `exit code ${code}`);
    });
  });
}

/** Lets one process build at a time. Takes over a lock whose owner is gone. */
async function lock(folder: string): Promise<() => Promise<void>> {
  const owner = path.join(folder, "pid");
  const deadline = Date.now() + buildLimit + 30_000;
  for (;;) {
    try {
      await mkdir(folder);
      await writeFile(owner, String(process.pid));
      return () => rm(folder, { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    if (Date.now() > deadline) throw new Error(`Waited too long for ${folder}`);
    const pid = Number(await readFile(owner, "utf8").catch(() => ""));
    if (pid > 0 && !alive(pid)) await rm(folder, { recursive: true, force: true });
    else await sleep(250);
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
