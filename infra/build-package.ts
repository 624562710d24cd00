// Makes dist/package/: the library and the command as JavaScript with declarations, and the files that they read.
import { execFile } from "node:child_process";
import { chmod, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");
const output = join(root, "dist/package");
const BESIDE = [
  "cli/cost/recorded.json",
  "cli/quantize.py",
  "cli/quantize-requirements.txt",
  "cli/convert/python",
  ...(await readdir(join(root, "cli/convert")))
    .filter((name) => name.startsWith("requirements-"))
    .map((name) => `cli/convert/${name}`),
  "cli/templates",
  "serverless.yml",
  "infra/aws",
];

await rm(output, { recursive: true, force: true });
await promisify(execFile)("tsc", ["--project", join(root, "tsconfig.package.json")], {
  shell: process.platform === "win32",
}).catch(({ stdout }: { stdout: string }) => {
  throw new Error(stdout);
});
for (const path of await readdir(output, { recursive: true }))
  if (path.endsWith(".d.ts")) await nameJavaScript(join(output, path));
for (const path of BESIDE)
  await cp(join(root, path), join(output, path), {
    recursive: true,
    // Python keeps what it has compiled beside its files.
    filter: (source) => !source.endsWith("__pycache__"),
  });
await chmod(join(output, "cli/nearcast.js"), 0o755);

/** Rewrites the extensions of imports in declarations. The compiler does so only in code. */
async function nameJavaScript(file: string): Promise<void> {
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replaceAll(/((?:from |import\()"\.{1,2}\/[^"]+)\.ts"/g, '$1.js"'));
}
