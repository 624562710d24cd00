import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const CACHE = join(import.meta.dirname, "../.cache");
const OUTPUT_BYTES = 16 * 1024 * 1024;
const IS_WINDOWS = process.platform === "win32";

interface Wanted {
  /** The environment's folder, beside those of other kinds. */
  name: string;
  /** What pip installs, as in a `requirements.txt`. */
  requirements: string;
  /** What it is for, at the beginning of a sentence: `Quantising`. */
  purpose: string;
  /** What is installed: `The quantiser`. */
  what: string;
}

/**
 * The Python of a virtual environment with these packages, made at the first use. Other requirements are another
 * environment's. Throws an Error that says what is missing.
 */
export async function pythonEnvironment(wanted: Wanted): Promise<string> {
  const { name, requirements } = wanted;
  const digest = createHash("sha256").update(requirements).digest("hex").slice(0, 8);
  const folder = join(CACHE, `${name}-${digest}`);
  const python = join(folder, IS_WINDOWS ? "Scripts/python.exe" : "bin/python");
  const stamp = join(folder, "installed.txt");
  // The requirements are written last: an environment without them was not finished.
  if ((await readFile(stamp, "utf8").catch(() => "")) === requirements && (await exists(python)))
    return python;
  process.stderr.write(`Making a Python environment in ${folder} (once).\n`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  try {
    await makeEnvironment(folder, python, wanted);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  await writeFile(stamp, requirements);
  return python;
}

async function makeEnvironment(
  folder: string,
  python: string,
  { requirements, purpose, what }: Wanted,
): Promise<void> {
  try {
    await run(IS_WINDOWS ? "python" : "python3", ["-m", "venv", folder]);
  } catch (cause) {
    throw new Error(
      (cause as NodeJS.ErrnoException).code === "ENOENT"
        ? `${purpose} needs Python: there is no python3 on the PATH. Install Python 3.11 or later and run the command again.`
        : `Python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv). ${lastLine(cause)}`,
      { cause },
    );
  }
  const list = join(folder, "wanted.txt");
  await writeFile(list, requirements);
  try {
    const install = ["-m", "pip", "install", "--quiet", "--requirement", list];
    await run(python, install, { maxBuffer: OUTPUT_BYTES });
  } catch (cause) {
    throw new Error(`${what} could not be installed with pip: ${lastLine(cause)}`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What a failed program said last. */
export function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr ?? "").trim().split("\n").at(-1) || message;
}
