import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A Node 20 on the PATH. Tests themselves run with a newer Node, which comes first. */
export const node20 = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "node"))
  .find((file) => existsSync(file) && versionOf(file).startsWith("v20."));

if (!node20) console.log("No Node 20 is on the PATH: nothing is tested with it");

function versionOf(file: string): string {
  return execFileSync(file, ["--version"], { encoding: "utf8" });
}
