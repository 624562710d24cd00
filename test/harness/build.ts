import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Builds what would be deployed, once before all tests: the Worker's upload and the Lambda packages. */
export async function setup(): Promise<void> {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  await Promise.all([run(npm, ["run", "build:worker"]), run(npm, ["run", "build:lambda"])]);
}
