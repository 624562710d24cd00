import { readdir, readFile, stat } from "node:fs/promises";
import { join, parse } from "node:path";
import { NAME_PATTERN } from "../../model/name.ts";
import { readTritonConfig, WITHOUT_CONFIG, type TritonConfig } from "./triton-config.ts";

/** A version that lies in a folder which nobody prepared for Nearcast. */
export interface FoundVersion {
  model: string;
  version: string;
  /** The folder with its files. */
  folder: string;
  /** The ONNX file in that folder. Undefined for a package, which has a manifest. */
  file?: string | undefined;
  /** The release beside a package's versions. */
  release?: string | undefined;
}

const ONNX_FILE = /\.(?:onnx|ort)$/;
const VERSION_FOLDER = /^[1-9]\d*$/;
const FIRST_VERSION = "1";

/**
 * Finds the models of a folder as a model registry, KServe or Triton lays them: ONNX files in it, versions in folders with
 * numbers, packages with their manifests, or folders of these. A model that lies in the folder itself is called `name`;
 * another is called after its own folder or file. Throws an Error that says what is there instead.
 */
export async function findModels(folder: string, name: string): Promise<FoundVersion[]> {
  const found = await modelsIn(folder, name, { looksBelow: true });
  if (found.length === 0)
    throw new Error(
      `${folder} has no model: it may have ONNX files, folders of versions (1/model.onnx), packages (1/model.json), or folders of these`,
    );
  const seen = new Set<string>();
  for (const { model, version } of found) {
    const id = `${model} version ${version}`;
    for (const part of [model, version])
      if (!NAME_PATTERN.test(part))
        throw new Error(
          `${JSON.stringify(part)} in ${folder} can be no name of a model: letters, digits and ._- are allowed, at most 64`,
        );
    if (seen.has(id)) throw new Error(`${folder} has ${id} twice`);
    seen.add(id);
  }
  return found;
}

async function modelsIn(
  folder: string,
  name: string,
  { looksBelow }: { looksBelow: boolean },
): Promise<FoundVersion[]> {
  const entries = await entriesOf(folder);
  if (entries.files.includes("model.json")) return [await packageIn(folder)];
  const own = entries.files.filter((file) => ONNX_FILE.test(file));
  const plain = own.map((file) => ({
    model: file === "model.onnx" || own.length === 1 ? name : parse(file).name,
    version: FIRST_VERSION,
    folder,
    file,
  }));
  const versions = await versionsIn(folder, name, entries);
  const below: FoundVersion[] = [];
  const packages = new Set(versions.map((one) => one.folder));
  if (looksBelow)
    for (const one of entries.folders)
      if (!VERSION_FOLDER.test(one) && !packages.has(join(folder, one)))
        below.push(...(await modelsIn(join(folder, one), one, { looksBelow: false })));
  return [...plain, ...versions, ...below];
}

/** The versions in a model's folder: packages, and the plain ones that Triton would serve. */
async function versionsIn(
  folder: string,
  name: string,
  { files, folders }: Entries,
): Promise<FoundVersion[]> {
  const packages: FoundVersion[] = [];
  const numbers: string[] = [];
  const release = files.includes("release.json") ? join(folder, "release.json") : undefined;
  for (const one of folders)
    if ((await entriesOf(join(folder, one))).files.includes("model.json"))
      packages.push({ ...(await packageIn(join(folder, one))), release });
    else if (VERSION_FOLDER.test(one)) numbers.push(one);
  if (numbers.length === 0) return packages;
  const config = files.includes("config.pbtxt")
    ? await configIn(join(folder, "config.pbtxt"), name)
    : WITHOUT_CONFIG;
  const plain = served(config, numbers, folder).map(async (version): Promise<FoundVersion> => ({
    model: name,
    version,
    ...(await modelFileIn(join(folder, version), config.file)),
  }));
  return [...packages, ...(await Promise.all(plain))];
}

function served(config: TritonConfig, versions: string[], folder: string): string[] {
  try {
    return config.served(versions);
  } catch (cause) {
    throw configError(join(folder, "config.pbtxt"), cause);
  }
}

async function configIn(path: string, model: string): Promise<TritonConfig> {
  try {
    return readTritonConfig(await readFile(path, "utf8"), model);
  } catch (cause) {
    throw configError(path, cause);
  }
}

function configError(path: string, cause: unknown): Error {
  return new Error(`${path}: ${(cause as Error).message}`, { cause });
}

/** Triton's default is `model.onnx`, a file, or a folder of a file with its weights. */
async function modelFileIn(
  folder: string,
  wanted = "model.onnx",
): Promise<Pick<FoundVersion, "folder" | "file">> {
  const { files, folders } = await entriesOf(folder);
  if (files.includes(wanted)) return { folder, file: wanted };
  if (folders.includes(wanted)) return modelFileIn(join(folder, wanted), wanted);
  throw new Error(
    `${folder} has no ${wanted}, but ${[...files, ...folders].join(", ") || "nothing"}`,
  );
}

async function packageIn(folder: string): Promise<FoundVersion> {
  const path = join(folder, "model.json");
  try {
    const { schema, name, version } = JSON.parse(await readFile(path, "utf8")) as Record<
      string,
      unknown
    >;
    if (typeof schema === "number" && typeof name === "string" && typeof version === "string")
      return { model: name, version, folder };
  } catch {
    // Not JSON at all.
  }
  throw new Error(`${path} is no manifest of Nearcast, which has schema, name and version`);
}

interface Entries {
  files: string[];
  folders: string[];
}

/** Links count as what they lead to: volumes of Kubernetes are links. */
async function entriesOf(folder: string): Promise<Entries> {
  const entries: Entries = { files: [], folders: [] };
  for (const name of (await readdir(folder)).toSorted()) {
    // Volumes have the second one, which nobody may read.
    if (name.startsWith(".") || name === "lost+found") continue;
    const found = await stat(join(folder, name));
    if (found.isFile()) entries.files.push(name);
    else if (found.isDirectory()) entries.folders.push(name);
  }
  return entries;
}
