import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packNearcast } from "./pack.ts";

const root = join(import.meta.dirname, "../..");

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
  const { unpacked } = await packNearcast();
  await cp(unpacked, join(modules, "nearcast"), { recursive: true });
  await symlink("../nearcast/dist/package/cli/nearcast.js", join(modules, ".bin/nearcast"));
  await checkDependencies(folder);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export async function link(from: string, to: string): Promise<void> {
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
