import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
/** The setup of all tests empties it. */
const packed = join(root, "dist/packed");
const npm = process.platform === "win32" ? "npm.cmd" : "npm";

/** The unpacked tarball that would be published. The first test file that asks makes it; others wait for it. */
async function packNearcast(): Promise<string> {
  const unpacked = join(packed, "package");
  const isFirst = await mkdir(packed).then(
    () => true,
    () => false,
  );
  if (isFirst) await pack().catch((error: Error) => writeFile(failure, error.message));
  const deadline = Date.now() + LONGEST_PACK_MS;
  while (!existsSync(join(packed, "done"))) {
    if (existsSync(failure)) throw new Error(await readFile(failure, "utf8"));
    if (Date.now() > deadline) throw new Error(`No tarball within ${LONGEST_PACK_MS} ms`);
    await sleep(200);
  }
  return unpacked;
}

const failure = join(packed, "failure.txt");
const LONGEST_PACK_MS = 170_000;

async function pack(): Promise<void> {
  const { stdout } = await run(npm, ["pack", "--json", "--pack-destination", packed], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  const [, filename = ""] = /"filename": "([^"]+)"/.exec(stdout) ?? [];
  await run("tar", ["-xzf", join(packed, filename), "-C", packed]);
  await writeFile(join(packed, "done"), "");
}

export interface Installed {
  folder: string;
  remove: () => Promise<void>;
}

/**
 * A copy of a project with the tarball's Nearcast in its `node_modules`. What else the project asks for is linked
 * from this repository, which has the versions that npm would install; a package that it lacks is an error.
 */
export async function installProject(project: string): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-project-"));
  await cp(project, folder, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|dist|\.wrangler)$/.test(path),
  });
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, ".bin"), { recursive: true });
  await link(join(root, "node_modules"), modules);
  await link(join(root, "node_modules/.bin"), join(modules, ".bin"));
  await cp(await packNearcast(), join(modules, "nearcast"), { recursive: true });
  await symlink("../nearcast/dist/package/cli/nearcast.js", join(modules, ".bin/nearcast"));
  await checkDependencies(folder);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function link(from: string, to: string): Promise<void> {
  for (const name of await readdir(from))
    if (!name.startsWith(".") && name !== "nearcast")
      await symlink(join(from, name), join(to, name));
}

async function checkDependencies(folder: string): Promise<void> {
  const text = await readFile(join(folder, "package.json"), "utf8");
  const { dependencies, devDependencies } = JSON.parse(text) as Record<
    "dependencies" | "devDependencies",
    Record<string, string> | undefined
  >;
  for (const name of Object.keys({ ...dependencies, ...devDependencies }))
    await readFile(join(folder, "node_modules", name, "package.json"));
}
