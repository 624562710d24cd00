import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Measurement } from "./measure.ts";
import { ownModule } from "./own-module.ts";
import { label, type LocalPackage } from "./package-folder.ts";
import type { RuntimeName } from "./predictor.ts";

const LIMIT_MS = 300_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** The process of a measurement did not end by itself: a graph loops for ever, or takes all memory. */
export class MeasurementEnded extends Error {}

/** Loads the version in a fresh process and runs its examples there. Rejects with what it said. */
export async function measurePackage(
  local: LocalPackage,
  runtime: RuntimeName,
  limitMs = LIMIT_MS,
): Promise<Measurement> {
  const [measurement] = await measureInOne(local, [runtime], limitMs);
  return measurement as Measurement;
}

/** Measures native and then WASM in the same fresh process. This halves the starts and gives the same figures. */
export async function measureBoth(
  local: LocalPackage,
  limitMs = LIMIT_MS,
): Promise<[Measurement, Measurement]> {
  const [native, wasm] = await measureInOne(local, ["native", "wasm"], limitMs);
  return [native as Measurement, wasm as Measurement];
}

async function measureInOne(
  { models, manifest }: LocalPackage,
  runtimes: readonly RuntimeName[],
  limitMs: number,
): Promise<Measurement[]> {
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--expose-gc", ownModule("measure"), models, manifest.name, manifest.version, ...runtimes],
      { timeout: limitMs, maxBuffer: MAX_OUTPUT_BYTES },
    );
    return JSON.parse(stdout) as Measurement[];
  } catch (cause) {
    const { stderr = "", killed, signal } = cause as ExecFailure;
    const reason = killed
      ? `its examples did not end within ${limitMs / 1000} s`
      : signal
        ? `its process was ended by ${signal}, as a system does that has no more memory`
        : stderr.trim();
    const Failure = killed || signal ? MeasurementEnded : Error;
    throw new Failure(
      `${label(manifest)} could not be measured on ${runtimes.join(" and ")}: ${reason}`,
      { cause },
    );
  }
}

/** What a failed process leaves. */
interface ExecFailure {
  stderr?: string;
  killed?: boolean;
  signal?: string | null;
}
