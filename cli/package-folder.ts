import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "../functions/model/manifest.ts";
import { NAME_PATTERN } from "../functions/model/name.ts";
import { sortVersions } from "../functions/model/versions.ts";
import { oneLine } from "./one-line.ts";
import { projectTasks } from "./project.ts";
import { readText } from "./read-text.ts";

/** `iris`, or `iris@2`. */
export interface Reference {
  name: string;
  version?: string;
}

/** One version in a models folder. */
export interface LocalPackage {
  /** The models folder. */
  models: string;
  /** The version's own folder. */
  folder: string;
  manifest: Manifest;
}

export const MANIFEST_FILE = "model.json";

/** Reads `name` or `name@version`; throws an Error on anything that cannot be one. */
export function parseReference(text: string): Reference {
  const [name = "", version, ...rest] = text.split("@");
  if (rest.length > 0) throw new Error(`${text} has more than one @; it is <model>@<version>.`);
  checkName("model", name);
  if (version === undefined) return { name };
  checkName("version", version);
  return { name, version };
}

/** Throws an Error unless `name` can name a model or a version. */
export function checkName(what: "model" | "version", name: string): void {
  if (!NAME_PATTERN.test(name))
    throw new Error(
      `${JSON.stringify(name)} cannot name a ${what}: use 1 to 64 letters, digits, ".", "_" and "-", and begin with a letter or a digit.`,
    );
}

/** The versions of a model in a models folder, `10` after `9`. */
export async function localVersions(models: string, name: string): Promise<string[]> {
  const entries = await readdir(join(models, name), { withFileTypes: true }).catch(none);
  const versions: string[] = [];
  for (const entry of entries)
    if (entry.isDirectory() && (await isFile(join(models, name, entry.name, MANIFEST_FILE))))
      versions.push(entry.name);
  return sortVersions(versions);
}

/** The named version, or the newest one. Throws when it is not there or its manifest is not valid. */
export async function openPackage(
  models: string,
  { name, version }: Reference,
): Promise<LocalPackage> {
  const versions = await localVersions(models, name);
  const wanted = version ?? versions.at(-1);
  if (!wanted || !versions.includes(wanted)) {
    const has = versions.length > 0 ? ` It has ${versions.join(", ")}.` : "";
    throw new Error(
      `There is no ${version ? `version ${version} of ${name}` : `model ${name}`} in ${models}.${has}`,
    );
  }
  const folder = join(models, name, wanted);
  const path = join(folder, MANIFEST_FILE);
  const manifest = await readManifest(await readText(path), path);
  if (manifest.name !== name || manifest.version !== wanted)
    throw new Error(`${path} names itself ${manifest.name}@${manifest.version}.`);
  return { models, folder, manifest };
}

/** The free version number after the highest one. */
export async function nextVersion(models: string, name: string): Promise<string> {
  const numbers = (await localVersions(models, name)).filter((text) => /^\d+$/.test(text));
  return String(Math.max(0, ...numbers.map(Number)) + 1);
}

export function label({ name, version }: Pick<Manifest, "name" | "version">): string {
  return `${name}@${version}`;
}

async function readManifest(text: string, path: string): Promise<Manifest> {
  const tasks = await projectTasks();
  try {
    return tasks.parseManifest(text);
  } catch (error) {
    throw new Error(`${path} is not a valid manifest. ${oneLine((error as Error).message)}`, {
      cause: error,
    });
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

function none(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
  throw error;
}
