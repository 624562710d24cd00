import { execFileSync } from "node:child_process";
import { cp, mkdir, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../..");
const made = join(root, ".cache/container-roots");

/**
 * Debian's packages in the base images of our Dockerfiles, as their makers list them; of Node's image only what its steps
 * need. Node is the one of the development dependencies, which is the build that the image has, with this machine's npm.
 */
const IMAGES: readonly { image: RegExp; packages: readonly string[]; hasNode: boolean }[] = [
  {
    image: /^node:[\d.]+-trixie-slim$/,
    packages: ["base-files", "coreutils", "dash", "grep", "libc6", "libstdc++6", "sed"],
    hasNode: true,
  },
  {
    image: /^gcr\.io\/distroless\/cc-debian13:nonroot$/,
    packages: ["base-files", "netbase", "tzdata", "libc6", "libgcc-s1", "libgomp1", "libstdc++6"],
    hasNode: false,
  },
];

/** Why images cannot be rehearsed here. Undefined where they can. */
export function missingForRoots(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it needs root on Linux";
  for (const tool of ["mmdebstrap", "unshare", "nsenter", "chroot"])
    if (!runs("sh", "-c", `command -v ${tool}`)) return `${tool} is not installed`;
  return runs("unshare", "--mount", "--pid", "--fork", "true")
    ? undefined
    : "this machine gives no namespaces";
}

/** A copy of a base image's files, in the folder. */
export async function copyBase(image: string, folder: string): Promise<void> {
  const found = IMAGES.find((one) => one.image.test(image));
  if (!found) throw new Error(`nobody has said what is in ${image}`);
  const base = join(made, image.replaceAll(/[^\w.-]/g, "_"));
  if (!existsSync(base)) await make(base, found.packages, found.hasNode);
  execFileSync("cp", ["-a", base, folder]);
}

async function make(base: string, packages: readonly string[], hasNode: boolean): Promise<void> {
  const begun = `${base}.begun`;
  await rm(begun, { recursive: true, force: true });
  await mkdir(dirname(begun), { recursive: true });
  const include = `--include=${packages.join(",")}`;
  execFileSync("mmdebstrap", ["--quiet", "--variant=extract", include, "trixie", begun], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (hasNode) {
    await symlink("dash", join(begun, "usr/bin/sh")).catch(unlessThere);
    await cp(join(root, "node_modules/node/bin/node"), join(begun, "usr/local/bin/node"));
    const command = execFileSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).trim();
    const npm = dirname(dirname(await realpath(command)));
    await cp(npm, join(begun, "usr/local/lib/node_modules/npm"), { recursive: true });
    await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(begun, "usr/local/bin/npm"));
  }
  await writeFile(join(begun, "etc/passwd"), "root:x:0:0::/root:/sbin/nologin\n");
  await rename(begun, base);
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
