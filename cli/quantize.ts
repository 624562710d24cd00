import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { lastLine, pythonEnvironment } from "./python-environment.ts";

const run = promisify(execFile);
const REQUIREMENTS = join(import.meta.dirname, "quantize-requirements.txt");
const SCRIPT = join(import.meta.dirname, "quantize.py");
const OUTPUT_BYTES = 16 * 1024 * 1024;

/**
 * What is in 8 bits, beside the weights. `rows`: what is multiplied by them, row by row, where a runtime can. `weights`:
 * nothing. `dynamic`: what is multiplied, by ranges that each run measures. `static`: what goes in and out of convolutions,
 * by ranges that were measured once.
 */
export type Int8Form = (typeof INT8_FORMS)[number] | "static";
/** Those that need no data. */
export const INT8_FORMS = ["rows", "weights", "dynamic"] as const;

/**
 * Writes an INT8 copy of an ONNX file. `calibration`: the folder of tensors that ranges are measured on. Throws an Error
 * that says what is missing or what Python said.
 */
export async function quantizeInt8(
  form: Int8Form,
  source: string,
  target: string,
  calibration?: string,
): Promise<void> {
  const python = await pythonEnvironment({
    name: "quantize",
    requirements: await readFile(REQUIREMENTS, "utf8"),
    purpose: "Quantising",
    what: "The quantiser",
  });
  const args = [SCRIPT, form, source, target, ...(calibration ? [calibration] : [])];
  try {
    await run(python, args, { maxBuffer: OUTPUT_BYTES });
  } catch (cause) {
    throw new Error(`The quantiser gave up: ${lastLine(cause)}`, { cause });
  }
}
