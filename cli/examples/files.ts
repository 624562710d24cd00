import { createHash } from "node:crypto";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { NearcastError } from "../../functions/errors.ts";
import type { Manifest, PackageFile } from "../../functions/model/manifest.ts";
import { shownExamples } from "../../functions/model/shown.ts";
import { NAME_PATTERN } from "../../functions/model/name.ts";
import { oneLine } from "../one-line.ts";
import { label, MANIFEST_FILE, type LocalPackage } from "../package-folder.ts";
import { readText } from "../read-text.ts";
import { replaceFile } from "../replace-file.ts";
import { pack, references, unpack } from "./pack.ts";

export const EXAMPLES_FILE = "examples.jsonl";

const lineSchema = z.strictObject({
  input: z.unknown(),
  output: z.unknown().optional(),
});
type Line = z.output<typeof lineSchema>;

export interface Example {
  input: unknown;
  output?: unknown;
  /** The example as it stands in its file. Undefined if it is in the manifest. */
  line?: Line;
}

type Folder = Pick<LocalPackage, "folder" | "manifest">;

/**
 * The examples of a version: those in its manifest, then those in its file. With `undeclared` also those in files that
 * the manifest does not list yet. Throws an Error that names the file and the line.
 */
export async function readExamples(
  { folder, manifest }: Folder,
  { undeclared = false }: { undeclared?: boolean } = {},
): Promise<Example[]> {
  const name = manifest.examplesFile?.file ?? (undeclared ? EXAMPLES_FILE : undefined);
  const text = name && (await readLines(join(folder, name), manifest.examplesFile !== undefined));
  if (!name || text === undefined) return manifest.examples;
  const filed: Example[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    if (content.trim() === "") continue;
    const where = `Line ${index + 1} of ${name} of ${label(manifest)}`;
    try {
      const line = readLine(content);
      const files = await referredFiles(folder, line, undeclared ? undefined : manifest);
      filed.push({ ...(unpack(line, files) as Line), line });
    } catch (cause) {
      throw new Error(`${where}: ${oneLine((cause as Error).message)}`, { cause });
    }
  }
  return [...manifest.examples, ...filed];
}

/** Whether a version has its examples in a file that its manifest does not name. */
export async function hasUndeclaredExamples({ folder, manifest }: Folder): Promise<boolean> {
  if (manifest.examplesFile) return false;
  return (await stat(join(folder, EXAMPLES_FILE)).catch(() => undefined))?.isFile() ?? false;
}

const MEASURED = ["sessionBytes", "peakBytes", "wasmBytes"] as const;

/**
 * Writes examples into the manifest, and those that are too large for it into files beside it. The rest of the manifest
 * stays, also the publisher's own fields (`x-…`). It also writes what was measured of the
 * version's memory.
 */
export async function writeExamples(
  folder: string,
  examples: readonly Example[],
  memory: Partial<Record<(typeof MEASURED)[number], number | undefined>> = {},
): Promise<void> {
  const path = join(folder, MANIFEST_FILE);
  const { examplesFile: before, ...manifest } = JSON.parse(await readText(path)) as Manifest;
  for (const name of MEASURED)
    if (memory[name] !== undefined) manifest.artifact[name] = memory[name];
  const own = examples
    .filter(({ line }) => !line)
    .map((example) => ({ example, inline: inlineOf(example) }));
  const small = shownExamples(own.map(({ inline }) => inline));
  const large = own.filter(({ inline }) => !small.includes(inline)).map(({ example }) => example);
  const examplesFile = await writeFiles(folder, [...examples.filter(({ line }) => line), ...large]);
  const next = { ...manifest, examples: small, ...(examplesFile && { examplesFile }) };
  await replaceFile(path, `${JSON.stringify(next, undefined, 2)}\n`);
  const used = new Set(examplesFile?.tensors?.map(({ file }) => file));
  for (const { file } of before?.tensors ?? [])
    if (!used.has(file)) await rm(join(folder, file), { force: true });
}

function inlineOf({ input, output }: Example): Manifest["examples"][number] {
  return { input, ...(output !== undefined && { output }) };
}

async function writeFiles(
  folder: string,
  examples: readonly Example[],
): Promise<Manifest["examplesFile"]> {
  if (examples.length === 0) return undefined;
  const taken = new Set(examples.flatMap((example) => references(keptOf(example))));
  const written = new Map<string, Uint8Array>();
  const lines = examples.map(({ line, input, output }, index) => {
    const packed = (value: unknown, what: string) =>
      pack(value, (bytes) => {
        const name = freeName(`example-${index + 1}-${what}`, taken);
        written.set(name, bytes);
        return name;
      });
    return JSON.stringify({
      input: line ? line.input : packed(input, "input"),
      ...(output !== undefined && { output: line?.output ?? packed(output, "output") }),
    });
  });
  for (const [name, bytes] of written) await replaceFile(join(folder, name), bytes);
  await replaceFile(join(folder, EXAMPLES_FILE), `${lines.join("\n")}\n`);
  const tensors = await Promise.all([...taken].map((name) => described(folder, name)));
  return {
    ...(await described(folder, EXAMPLES_FILE)),
    ...(tensors.length > 0 && { tensors }),
  };
}

/** The part of a line that stays as it is. An output that was taken out is gone. */
function keptOf({ line, output }: Example): unknown[] {
  return [line?.input, output === undefined ? undefined : line?.output];
}

/** Takes the first name with a free number. */
function freeName(stem: string, taken: Set<string>): string {
  let number = 1;
  while (taken.has(`${stem}-${number}.npy`)) number += 1;
  const name = `${stem}-${number}.npy`;
  taken.add(name);
  return name;
}

async function described(folder: string, file: string): Promise<PackageFile> {
  const bytes = await readFile(join(folder, file));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file, sha256, bytes: bytes.byteLength };
}

function readLine(content: string): Line {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (cause) {
    throw new Error('it is not JSON. It must be {"input": …, "output": …} on one line.', { cause });
  }
  const { data, error } = lineSchema.safeParse(json);
  if (error) throw new Error(z.prettifyError(error));
  if (data.input === undefined)
    throw new Error('it has no input. It must be {"input": …, "output": …}.');
  return data;
}

/**
 * The NumPy files in the folder that a value refers to. With a manifest, only those that it lists. Throws an Error that
 * names the wrong file.
 */
export async function referredFiles(
  folder: string,
  value: unknown,
  manifest?: Manifest,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const listed = manifest?.examplesFile?.tensors ?? [];
  for (const name of references(value)) {
    if (manifest && !listed.some(({ file }) => file === name))
      throw new Error(
        `examplesFile.tensors of the manifest does not list ${name}. To list it: nearcast verify ${label(manifest)} --record`,
      );
    if (!NAME_PATTERN.test(name))
      throw new Error(
        `${JSON.stringify(name)} is not the plain name of a file beside it, such as input.npy.`,
      );
    const bytes = await readFile(join(folder, name)).catch((cause: unknown) => {
      throw new Error(`the file ${name} does not lie beside it.`, { cause });
    });
    files.set(name, bytes);
  }
  return files;
}

async function readLines(path: string, isDeclared: boolean): Promise<string | undefined> {
  return readText(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause instanceof NearcastError) throw cause;
    if (cause.code === "ENOENT" && !isDeclared) return undefined;
    throw new Error(`${path} cannot be read.`, { cause });
  });
}
