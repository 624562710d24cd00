import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { StoreRefusal } from "../../model/store.ts";
import { sortVersions } from "../../model/versions.ts";
import { describePlain } from "./describe.ts";
import { findModels, type FoundVersion } from "./find.ts";

export interface PlainModels {
  folder: string;
  /** The name of a model that lies in the folder itself. */
  name: string;
  /** The most bytes of a model with its weights. */
  mostBytes: number;
  /** Whether versions need a signature, which plain files do not have. */
  needsSignatures: boolean;
  log: (entry: Record<string, unknown>) => void;
}

/** An object: a file, by its path below the folder, or bytes that were made of one. */
export type Source = string | Uint8Array;

/** The objects by key. Rejects with all that cannot be served, which is logged too. */
export async function readObjects(options: PlainModels): Promise<Map<string, Source>> {
  const { folder, name, log } = options;
  const objects = new Map<string, Source>();
  const versions = new Map<string, string[]>();
  const problems: string[] = [];
  try {
    for (const found of await findModels(folder, name))
      try {
        for (const [key, source] of await objectsOf(found, options)) objects.set(key, source);
        const { model, version, file } = found;
        versions.set(model, [...(versions.get(model) ?? []), version]);
        log({ level: "info", message: "model found", model, version, file: file ?? "model.json" });
      } catch (error) {
        problems.push((error as Error).message);
      }
  } catch (error) {
    problems.push((error as Error).message);
  }
  if (problems.length > 0) {
    const reason = problems.join("; ").replaceAll(`${folder}/`, "").replace(/\.$/, "");
    log({ level: "error", message: `the models of ${folder} cannot be served: ${reason}` });
    throw new StoreRefusal(reason, new Error(folder));
  }
  for (const [model, own] of versions) {
    const key = `${model}/release.json`;
    if (!objects.has(key)) objects.set(key, json({ stable: sortVersions(own).at(-1) }));
  }
  return objects;
}

async function objectsOf(
  found: FoundVersion,
  { folder, mostBytes, needsSignatures }: PlainModels,
): Promise<[key: string, source: Source][]> {
  const { model, version, file, release } = found;
  const below = (path: string) => relative(folder, path).split(sep).join("/");
  const keyOf = (name: string) => `${model}/${version}/${name}`;
  if (file === undefined) {
    const entries = await readdir(found.folder, { recursive: true });
    const files = entries.map((name): [string, Source] => [
      keyOf(name.split(sep).join("/")),
      below(join(found.folder, name)),
    ]);
    return release === undefined ? files : [...files, [`${model}/release.json`, below(release)]];
  }
  if (needsSignatures)
    throw new Error(
      `${join(found.folder, file)} has no signed manifest, which TRUSTED_KEYS asks for`,
    );
  const { manifest, files } = await describePlain({ ...found, file }, mostBytes);
  return [
    [keyOf("model.json"), json(manifest)],
    ...[...files].map(([name, source]): [string, Source] => [
      keyOf(name),
      typeof source === "string" ? below(source) : source,
    ]),
  ];
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
