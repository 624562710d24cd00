import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Measurement } from "./measure.ts";
import { label, type LocalPackage } from "./package-folder.ts";
import type { RuntimeName } from "./predictor.ts";

const LIMIT_MS = 300_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Loads the version in a fresh process and runs its examples there. Rejects with what it said. */
export async function measurePackage(
  { models, manifest }: LocalPackage,
  runtime: RuntimeName,
): Promise<Measurement> {
  const script = join(import.meta.dirname, "measure.ts");
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [script, models, manifest.name, manifest.version, runtime],
      { timeout: LIMIT_MS, maxBuffer: MAX_OUTPUT_BYTES },
    );
    return JSON.parse(stdout) as Measurement;
  } catch (cause) {
    const { stderr, killed } = cause as { stderr?: string; killed?: boolean };
    const reason = killed
      ? `no end within ${LIMIT_MS / 1000} s`
      : (stderr ?? "").trim().split("\n").slice(-5).join("\n");
    throw new Error(`${label(manifest)} could not be measured on ${runtime}: ${reason}`, { cause });
  }
}
