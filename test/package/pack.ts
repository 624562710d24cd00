import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import packageJson from "../../package.json" with { type: "json" };

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
/** The global setup of the tests removes it. */
const packed = join(root, "dist/packed");
const done = join(packed, "done");
const failure = join(packed, "failure.txt");
const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const LONGEST_PACK_MS = 170_000;

export interface Packed {
  /** What npm would publish. */
  tarball: string;
  /** What is in it. */
  unpacked: string;
}

/**
 * Packs the package once for all test files: two at once would build into the same folder. The first file that asks
 * packs; the others wait for it.
 */
export async function packNearcast(): Promise<Packed> {
  const tarball = join(packed, `nearcast-${packageJson.version}.tgz`);
  const isFirst = await mkdir(packed).then(
    () => true,
    () => false,
  );
  if (isFirst) await pack(tarball).catch((error: Error) => writeFile(failure, error.message));
  const deadline = Date.now() + LONGEST_PACK_MS;
  while (!existsSync(done)) {
    if (existsSync(failure)) throw new Error(await readFile(failure, "utf8"));
    if (Date.now() > deadline) throw new Error(`No tarball within ${LONGEST_PACK_MS} ms`);
    await sleep(200);
  }
  return { tarball, unpacked: join(packed, "package") };
}

async function pack(tarball: string): Promise<void> {
  await run(npm, ["pack", "--pack-destination", packed], { cwd: root });
  await run("tar", ["-xzf", tarball, "-C", packed]);
  await writeFile(done, "");
}
