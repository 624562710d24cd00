import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

interface Packed {
  filename: string;
  files: { path: string }[];
}

export interface PackedClient {
  /** A project in whose `node_modules` the client is. */
  project: string;
  /** The paths of the tarball's files. */
  files: string[];
  remove: () => Promise<void>;
}

/** A project with the client of the packed tarball, and with links to these packages of the repository. */
export async function installPackedClient(...others: string[]): Promise<PackedClient> {
  const project = await realpath(await mkdtemp(join(tmpdir(), "nearcast-client-")));
  const files = await unpackClient(project);
  for (const name of others) {
    const link = join(project, "node_modules", name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, "node_modules", name), link);
  }
  await writeFile(join(project, "package.json"), '{"type": "module"}');
  return { project, files, remove: () => rm(project, { recursive: true, force: true }) };
}

/** Packs the client and unpacks it into the project's `node_modules`. Gives the paths of its files. */
async function unpackClient(project: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-client-tarball-"));
  // No scripts: the package is built before all tests, and the scripts' output would mix with the JSON.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const listed: unknown = JSON.parse(
    (await run("npm", pack, { cwd: join(root, "client") })).stdout,
  );
  // An array, or by name since npm 12.
  const [packed] = Object.values(listed as Record<string, Packed>) as [Packed];
  const installed = join(project, "node_modules/@nearcast/client");
  await mkdir(installed, { recursive: true });
  const tarball = join(folder, packed.filename);
  await run("tar", ["xzf", tarball, "-C", installed, "--strip-components", "1"]);
  await rm(folder, { recursive: true });
  return packed.files.map(({ path }) => path).toSorted();
}
