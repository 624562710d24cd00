import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageFiles } from "../functions/model/manifest.ts";
import { readRelease } from "../functions/model/release.ts";
import type { Store } from "../functions/model/store.ts";
import { label, MANIFEST_FILE, openPackage, type LocalPackage } from "./package-folder.ts";

/**
 * Downloads the version that a store releases for a piece of work, and removes it again. The work gets undefined if the
 * model was never released there. Rejects if the version is not whole.
 */
export async function withReleasedVersion<T>(
  store: Store,
  name: string,
  work: (local: LocalPackage | undefined) => Promise<T>,
): Promise<T> {
  const version = (await readRelease(store, name))?.release.stable;
  if (version === undefined) return work(undefined);
  const models = await mkdtemp(join(tmpdir(), "nearcast-released-"));
  try {
    return await work(await fetchVersion(store, models, { name, version }));
  } finally {
    await rm(models, { recursive: true, force: true });
  }
}

async function fetchVersion(
  store: Store,
  models: string,
  identity: { name: string; version: string },
): Promise<LocalPackage> {
  const folder = join(models, identity.name, identity.version);
  await mkdir(folder, { recursive: true });
  const get = async (file: string) => {
    const found = await store.get(`${identity.name}/${identity.version}/${file}`);
    if (!found || found === "not-modified")
      throw new Error(`${label(identity)} is released, and ${file} is not in the store.`);
    await writeFile(join(folder, file), found.bytes);
    return found.bytes;
  };
  await get(MANIFEST_FILE);
  const local = await openPackage(models, identity);
  for (const { file, sha256 } of packageFiles(local.manifest))
    if (
      createHash("sha256")
        .update(await get(file))
        .digest("hex") !== sha256
    )
      throw new Error(`${file} of ${label(identity)} in the store does not have its sha256.`);
  return local;
}
