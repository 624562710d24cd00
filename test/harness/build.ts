import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { unzipSync } from "fflate";

const run = promisify(execFile);

/** The unzipped Lambda package. */
export const lambdaDirectory = join(import.meta.dirname, "../../dist/lambda-unzipped");

/** Builds what is deployed or published, once before all tests. Of the Lambda packages, only that for this processor. */
export async function setup(): Promise<void> {
  // test/package/pack.ts may have left a tarball of an earlier state.
  await rm(join(import.meta.dirname, "../../dist/packed"), { recursive: true, force: true });
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // It comes before the others, because it and Lambda's build both make dist/assets.
  await run(npm, ["run", "build:worker"]);
  await Promise.all([
    run(npm, ["run", "build:lambda", "--", process.arch]).then(unzipLambda),
    run(npm, ["run", "build:node"]),
    run(npm, ["run", "build:client"]),
  ]);
}

async function unzipLambda(): Promise<void> {
  await rm(lambdaDirectory, { recursive: true, force: true });
  const zip = await readFile(join(lambdaDirectory, `../lambda/${process.arch}.zip`));
  for (const [name, bytes] of Object.entries(unzipSync(new Uint8Array(zip)))) {
    const path = join(lambdaDirectory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}
