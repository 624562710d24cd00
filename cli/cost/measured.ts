import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ownModule } from "../own-module.ts";
import { label, type LocalPackage } from "../package-folder.ts";
import type { RuntimeName } from "../predictor.ts";
import type { RequestMeasurement } from "./measure-requests.ts";

const LIMIT_MS = 300_000;

/** Asks the version for its examples in a fresh process. Rejects with what that said. */
export async function measureRequests(
  { models, manifest }: LocalPackage,
  runtime: RuntimeName,
): Promise<RequestMeasurement> {
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [ownModule("cost/measure-requests"), models, manifest.name, manifest.version, runtime],
      { timeout: LIMIT_MS },
    );
    return JSON.parse(stdout) as RequestMeasurement;
  } catch (cause) {
    const { stderr = "", killed, signal } = cause as Ended;
    const reason = killed
      ? `it did not end within ${LIMIT_MS / 1000} s`
      : signal
        ? `its process was ended by ${signal}, as a system does that has no more memory`
        : stderr.trim();
    throw new Error(`${label(manifest)} could not be measured on ${runtime}: ${reason}`, { cause });
  }
}

/** What a failed process leaves. */
interface Ended {
  stderr?: string;
  killed?: boolean;
  signal?: string | null;
}
