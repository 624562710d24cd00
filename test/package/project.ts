import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { asUser } from "../harness/as-a-user.ts";
import { packNearcast } from "./pack.ts";

const root = join(import.meta.dirname, "../..");

export interface Project {
  /** What npm would publish. */
  tarball: string;
  /** The tarball's own files. Their imports are linked from the repository. */
  unpacked: string;
  /** A project that the packed command's `init` made and `npm install` filled. */
  folder: string;
}

/** Makes and installs a project of the packed package. It takes a minute, so call it once in a test file. */
export async function makeProject(): Promise<Project> {
  const parent = await mkdtemp(join(tmpdir(), "nearcast-package-"));
  afterAll(() => rm(parent, { recursive: true, force: true }));
  const { tarball, unpacked: packed } = await packNearcast();
  const unpacked = join(parent, "unpacked/package");
  await cp(packed, unpacked, { recursive: true });
  await symlink(join(root, "node_modules"), join(unpacked, "node_modules"));

  const folder = join(parent, "My Models");
  await asUser(`node ${join(unpacked, packageJson.bin.nearcast)} init "My Models"`, parent);
  await installFrom(folder, tarball);
  return { tarball, unpacked, folder };
}

/** The version that it depends on is not published yet. */
async function installFrom(folder: string, tarball: string): Promise<void> {
  const path = join(folder, "package.json");
  const json = JSON.parse(await readFile(path, "utf8")) as { dependencies: { nearcast: string } };
  json.dependencies.nearcast = `file:${tarball}`;
  await writeFile(path, JSON.stringify(json));
  await asUser("npm install", folder);
}
