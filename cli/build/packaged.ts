import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digest } from "../../functions/digest.ts";
import { PACKAGED_VERSIONS } from "../../functions/platform/packaged-folder.ts";
import { openPackage, parseReference } from "../package-folder.ts";

/**
 * Puts the artifacts of these models into a folder of the function, as `openPackaged` reads it. `models` has names as
 * `push` takes them: `iris` is its newest version, `iris@2` the second. Rejects when one is not there or is damaged.
 */
export async function copyPackaged(
  models: string,
  names: readonly string[],
  folder: string,
): Promise<void> {
  if (names.length === 0) return;
  await mkdir(folder, { recursive: true });
  const versions: Record<string, string> = {};
  for (const name of names) {
    const { folder: from, manifest } = await openPackage(models, parseReference(name));
    const { externalData = [], ...artifact } = manifest.artifact;
    for (const { file, sha256 } of [artifact, ...externalData]) {
      const bytes = new Uint8Array(await readFile(join(from, file)));
      if ((await digest(bytes)) !== sha256)
        throw new Error(`${join(from, file)} does not match its sha256 in the manifest.`);
      await writeFile(join(folder, sha256), bytes);
    }
    versions[manifest.name] = manifest.version;
  }
  await writeFile(join(folder, PACKAGED_VERSIONS), JSON.stringify(versions));
}
