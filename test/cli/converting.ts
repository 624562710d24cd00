import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./nearcast.ts";

interface Environment {
  /** The Python that the command converts with. */
  python: string;
  isMade: boolean;
}

/** The environment of a list of requirements, where the command looks for it. Nothing is installed. */
async function environmentOf(kind: string): Promise<Environment> {
  const requirements = readFileSync(join(root, `cli/convert/requirements-${kind}.txt`));
  const digest = createHash("sha256").update(requirements).digest("hex").slice(0, 8);
  const folder = join(root, `.cache/convert-${digest}`);
  const installed = await readFile(join(folder, "installed.txt")).catch(() => undefined);
  return {
    python: join(folder, "bin/python"),
    isMade: installed?.equals(requirements) ?? false,
  };
}

const sklearn = await environmentOf("sklearn");
export const convertersPython = sklearn.python;
export const canConvert = sklearn.isMade;
if (!canConvert) console.log("There is no environment to convert in (.ci/run makes it): skipped.");

/** They have 5 GB and 1.6 GB, so only a conversion makes them. */
export const torch = await environmentOf("torch");
export const tensorflow = await environmentOf("tensorflow");

export const CONVERSION_LIMIT_MS = 120_000;

/** A folder for a whole file of tests. It goes with the run's temporary folder. */
export function suiteFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "nearcast-convert-tests-"));
}
