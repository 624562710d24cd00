// The function and the Worker with the artifact of iris in their packages.
import { execFile } from "node:child_process";
import { cp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { copyPackaged } from "../cli/build/packaged.ts";

/** What the function with iris needs besides: it loads the model while it starts. */
export const PRELOAD = { PRELOAD: "iris" };

/** Makes both from what the build has made. Working directory: the repository. */
export async function buildWithIris(): Promise<{ lambda: string; worker: string }> {
  const folder = resolve(".cache/bench/with-iris");
  const [lambda, worker] = [join(folder, "lambda"), join(folder, "worker")];
  await rm(folder, { recursive: true, force: true });
  await cp(resolve("dist/lambda", process.arch), lambda, { recursive: true });
  await copyPackaged("models", ["iris"], join(lambda, "packaged"));
  const args = ["deploy", "bench/worker-with-iris.ts", "--dry-run", "--outdir", worker];
  await promisify(execFile)("node_modules/.bin/wrangler", args);
  return { lambda, worker };
}
