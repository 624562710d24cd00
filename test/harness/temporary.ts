import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The prefix of the folder's name. */
export const TEMPORARY = "nearcast-tests-";

/** Gives all tests of a run one temporary folder, and removes it after them: also what failed tests leave behind. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), TEMPORARY));
  // Windows has the other two.
  for (const name of ["TMPDIR", "TEMP", "TMP"]) process.env[name] = folder;
  return () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
