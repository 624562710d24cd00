import { execFile } from "node:child_process";
import { access, copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const REQUIREMENTS = join(import.meta.dirname, "quantize-requirements.txt");
const SCRIPT = join(import.meta.dirname, "quantize.py");
const ENVIRONMENT = join(import.meta.dirname, "../.cache/quantize");
const OUTPUT_BYTES = 16 * 1024 * 1024;

/** Writes an INT8 copy of an ONNX file. Throws an Error that says what is missing or what Python said. */
export async function quantizeInt8(source: string, target: string): Promise<void> {
  const python = await pythonWithQuantizer();
  try {
    await run(python, [SCRIPT, source, target], { maxBuffer: OUTPUT_BYTES });
  } catch (cause) {
    throw new Error(`The quantiser gave up: ${lastLine(cause)}`, { cause });
  }
}

/** The Python of a virtual environment with the pinned quantiser, made at the first use. */
async function pythonWithQuantizer(): Promise<string> {
  const python =
    process.platform === "win32"
      ? join(ENVIRONMENT, "Scripts/python.exe")
      : join(ENVIRONMENT, "bin/python");
  const stamp = join(ENVIRONMENT, "requirements.txt");
  const wanted = await readFile(REQUIREMENTS, "utf8");
  // The copy of the requirements is written last: an environment without it was not finished.
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted && (await exists(python)))
    return python;
  process.stderr.write(`Making a Python environment in ${ENVIRONMENT} (once).\n`);
  await rm(ENVIRONMENT, { recursive: true, force: true });
  await mkdir(ENVIRONMENT, { recursive: true });
  try {
    await makeEnvironment(python);
  } catch (error) {
    await rm(ENVIRONMENT, { recursive: true, force: true });
    throw error;
  }
  await copyFile(REQUIREMENTS, stamp);
  return python;
}

async function makeEnvironment(python: string): Promise<void> {
  try {
    await run(process.platform === "win32" ? "python" : "python3", ["-m", "venv", ENVIRONMENT]);
  } catch (cause) {
    throw new Error(
      (cause as NodeJS.ErrnoException).code === "ENOENT"
        ? "Quantising needs Python: there is no python3 on the PATH. Install Python 3.10 or later and run the command again."
        : `Python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv). ${lastLine(cause)}`,
      { cause },
    );
  }
  try {
    const install = ["-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS];
    await run(python, install, { maxBuffer: OUTPUT_BYTES });
  } catch (cause) {
    throw new Error(`The quantiser could not be installed with pip: ${lastLine(cause)}`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr ?? "").trim().split("\n").at(-1) || message;
}
