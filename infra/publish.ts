// `node infra/publish.ts v1.2.3 [--dry-run]`: publishes the packages of this repository, with provenance. It goes on where an
// earlier run ended. In CI npm takes the runner's OIDC token (trusted publishing), so there is no token to keep.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const root = join(import.meta.dirname, "..");
const PACKAGES = [".", "client"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { "dry-run": { type: "boolean", default: false } },
});
const dryRun = values["dry-run"];
const version = checkVersion(positionals[0]);
const repository = `git+${run("git", ["remote", "get-url", "origin"]).trim()}`;

for (const folder of PACKAGES) {
  const cwd = join(root, folder);
  const { name } = packageOf(folder);
  if (!dryRun && isPublished(name)) {
    console.log(`${name}@${version} is published already.`);
    continue;
  }
  // npm takes the provenance only of a package that names the repository it was built from.
  if (!dryRun)
    run("npm", ["pkg", "set", "repository.type=git", `repository.url=${repository}`], cwd);
  const flags = ["--provenance", "--access", "public", ...(dryRun ? ["--dry-run"] : [])];
  execFileSync("npm", ["publish", ...flags], { cwd, stdio: "inherit" });
  console.log(`${name}@${version} ${dryRun ? "would be published" : "is published"}.`);
}

/** All packages and the changelog must have the version of the tag. */
function checkVersion(tag = ""): string {
  // A prerelease would need a dist-tag of its own.
  const wanted = /^v(\d+\.\d+\.\d+)$/.exec(tag)?.[1];
  if (wanted === undefined) throw new Error("Name the tag: node infra/publish.ts v1.2.3");
  for (const folder of PACKAGES) {
    const { name, version } = packageOf(folder);
    if (version !== wanted)
      throw new Error(`${name} has the version ${version}, and the tag is ${tag}.`);
  }
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  if (!changelog.split("\n").includes(`## ${wanted}`))
    throw new Error(`CHANGELOG.md has no heading "## ${wanted}".`);
  return wanted;
}

function packageOf(folder: string): { name: string; version: string } {
  const text = readFileSync(join(root, folder, "package.json"), "utf8");
  return JSON.parse(text) as { name: string; version: string };
}

function isPublished(name: string): boolean {
  try {
    return run("npm", ["view", `${name}@${version}`, "version"]).trim() === version;
  } catch (error) {
    if (/E404/.test(String((error as { stderr?: string }).stderr))) return false;
    throw error;
  }
}

function run(command: string, args: readonly string[], cwd = root): string {
  return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
