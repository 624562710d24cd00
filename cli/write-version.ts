import { createHash, randomUUID } from "node:crypto";
import { copyFile, mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest, PackageFile } from "../functions/model/manifest.ts";
import { label, MANIFEST_FILE, openPackage, type LocalPackage } from "./package-folder.ts";

/** A manifest before the digests of its files are known. */
export type VersionDraft = Omit<Manifest, "artifact" | "assets" | "schema">;

/** The present place of a file of a new version, or its content, and its name in the package. */
export type SourceFile = { file: string } & ({ path: string } | { content: Uint8Array });

export interface VersionFiles {
  artifact: SourceFile;
  externalData: SourceFile[];
  assets: SourceFile[];
  /** Files with examples, which the draft lists with their digests. */
  examples?: SourceFile[];
}

/**
 * Makes a version in a temporary folder, lets `check` look at it there, and only then moves it to its place. `check`
 * may return a better manifest. If anything fails, nothing is left behind.
 */
export async function writeVersion(
  models: string,
  draft: VersionDraft,
  files: VersionFiles,
  check: (local: LocalPackage) => Promise<Manifest>,
): Promise<LocalPackage> {
  const temporary = join(models, `.new-${randomUUID()}`);
  const folder = join(temporary, draft.name, draft.version);
  const place = join(models, draft.name, draft.version);
  let made: string | undefined;
  try {
    made = await mkdir(models, { recursive: true });
    await mkdir(folder, { recursive: true });
    const described = async (sources: readonly SourceFile[]) =>
      Promise.all(sources.map((source) => copy(source, folder)));
    const [artifact] = await described([files.artifact]);
    const externalData = await described(files.externalData);
    const assets = await described(files.assets);
    await described(files.examples ?? []);
    const manifest = {
      schema: 1,
      ...draft,
      artifact: { ...artifact, ...(externalData.length > 0 && { externalData }) },
      ...(assets.length > 0 && { assets }),
    };
    await writeManifest(folder, manifest);
    const local = await openPackage(temporary, draft);
    await writeManifest(folder, await check(local));
    await mkdir(join(models, draft.name), { recursive: true });
    // Renaming onto a folder that is not empty fails, so an existing version stays as it is.
    await rename(folder, place);
    return await openPackage(models, draft);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOTEMPTY" || code === "EEXIST") throw exists(draft, models);
    throw withoutFolder(error, folder, label(draft));
  } finally {
    await rm(temporary, { recursive: true, force: true });
    // Removes folders that were made for nothing. rmdir leaves those that are not empty.
    await rmdir(join(models, draft.name)).catch(() => undefined);
    if (made !== undefined) await rmdir(models).catch(() => undefined);
  }
}

/** Messages must not name the temporary folder: it is gone before anybody reads them. */
function withoutFolder(error: unknown, folder: string, version: string): unknown {
  if (!(error instanceof Error) || !error.message.includes(folder)) return error;
  const message = error.message
    .replaceAll(`${join(folder, MANIFEST_FILE)} is`, `What would be the manifest of ${version} is`)
    .replaceAll(`${folder}/`, "");
  return new Error(message, { cause: error });
}

export function exists(version: Pick<Manifest, "name" | "version">, models: string): Error {
  return new Error(
    `${label(version)} is in ${models} already, and a version never changes. Choose another with --version.`,
  );
}

async function copy(source: SourceFile, folder: string): Promise<PackageFile> {
  const { file } = source;
  const target = join(folder, file);
  await ("path" in source ? copyFile(source.path, target) : writeFile(target, source.content));
  const bytes = await readFile(target);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file, sha256, bytes: bytes.byteLength };
}

async function writeManifest(folder: string, manifest: object): Promise<void> {
  await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, undefined, 2)}\n`);
}
