import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { lastLine, pythonEnvironment } from "./python-environment.ts";

const run = promisify(execFile);
const REQUIREMENTS = join(import.meta.dirname, "quantize-requirements.txt");
const SCRIPT = join(import.meta.dirname, "quantize.py");
const OUTPUT_BYTES = 16 * 1024 * 1024;

/** Writes an INT8 copy of an ONNX file. Throws an Error that says what is missing or what Python said. */
export async function quantizeInt8(source: string, target: string): Promise<void> {
  const python = await pythonEnvironment({
    name: "quantize",
    requirements: await readFile(REQUIREMENTS, "utf8"),
    purpose: "Quantising",
    what: "The quantiser",
  });
  try {
    await run(python, [SCRIPT, source, target], { maxBuffer: OUTPUT_BYTES });
  } catch (cause) {
    throw new Error(`The quantiser gave up: ${lastLine(cause)}`, { cause });
  }
}
