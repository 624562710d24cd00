import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./nearcast.ts";

const requirements = readFileSync(join(root, "cli/convert/requirements-sklearn.txt"));
const digest = createHash("sha256").update(requirements).digest("hex").slice(0, 8);
const environment = join(root, `.cache/convert-${digest}`);

/** The Python that the command converts with. `.ci/run` makes it. */
export const convertersPython = join(environment, "bin/python");
export const canConvert = await readFile(join(environment, "installed.txt")).then(
  (installed) => installed.equals(requirements),
  () => false,
);
if (!canConvert) console.log("There is no environment to convert in (.ci/run makes it): skipped.");

export const CONVERSION_LIMIT_MS = 120_000;

/** A folder for a whole file of tests. It goes with the run's temporary folder. */
export function suiteFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "nearcast-convert-tests-"));
}
