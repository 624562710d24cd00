import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

export const RECIPE_FILE = "training.json";

/** What `models/<name>/training.json` says. Its paths are below that folder. */
const recipeSchema = z.strictObject({
  /** Files, and folders with all files in them: data, script, requirements. When one of them changes, the model is trained. */
  inputs: z.array(z.string().min(1)).min(1),
  /** A line for the shell, run in the model's folder. It makes the artifact. */
  run: z.string().min(1),
  /** What `run` makes: an ONNX file, or an export folder. */
  artifact: z.string().min(1),
  /** Further arguments of `nearcast add`. */
  add: z.array(z.string()).default([]),
  /** The data for `nearcast baseline`. */
  baseline: z.string().min(1).optional(),
  /** Fields that the manifest gets besides. */
  manifest: z.record(z.string(), z.unknown()).default({}),
});

export type Recipe = z.output<typeof recipeSchema>;

/** The recipe of a model in a models folder. Undefined if it has none. Throws if it is not valid. */
export async function readRecipe(folder: string): Promise<Recipe | undefined> {
  const path = join(folder, RECIPE_FILE);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return recipeSchema.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new Error(`${path}: ${why}`, { cause });
  }
}

/** The sha256 over the recipe and the names and bytes of all its inputs. */
export async function digestOf(folder: string, { inputs }: Recipe): Promise<string> {
  const files = (await Promise.all(inputs.map((input) => filesAt(folder, input)))).flat();
  const hash = createHash("sha256");
  for (const file of [...new Set([RECIPE_FILE, ...files])].toSorted()) {
    const bytes = createHash("sha256").update(await readFile(join(folder, file)));
    hash.update(`${file}\0${bytes.digest("hex")}\n`);
  }
  return hash.digest("hex");
}

async function filesAt(folder: string, input: string): Promise<string[]> {
  const found = await stat(join(folder, input)).catch(() => undefined);
  if (!found) throw new Error(`${join(folder, RECIPE_FILE)}: there is no input ${input}.`);
  if (!found.isDirectory()) return [input];
  const entries = await readdir(join(folder, input), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, "/").length))
    .map((path) => path.replaceAll("\\", "/"));
}
