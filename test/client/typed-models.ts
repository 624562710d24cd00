import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { succeed } from "../cli/nearcast.ts";
import { addExport } from "../hugging-face/export-folder.ts";

const root = join(import.meta.dirname, "../..");

/** Exports of texts by their task. */
const EXPORTS: [name: string, task?: string][] = [
  ["ner-bert"],
  ["qa-bert"],
  ["nli-bert", "zero-shot-classification"],
  ["mask-bert"],
  ["rank-bert", "text-ranking"],
  ["similar-bert", "sentence-similarity"],
  ["splade-bert"],
  ["regression-one"],
  ["regression-two"],
  ["distilbert-sst2"],
];

/** A folder with the shipped models, one of every other task, and one whose names are odd. The caller removes it. */
async function typedModels(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-typed-models-"));
  await cp(join(root, "models"), folder, { recursive: true });
  for (const [name, task] of EXPORTS) await addExport(folder, name, task);
  const graph = join(root, "test/fixtures/graphs/tensors.onnx");
  await succeed(["add", graph, "--name", "tensors", "--models", folder]);
  await copied(folder, "search", "tokens", ({ text }) => ({
    text: { ...(text as object), pooling: "none" },
  }));
  await copied(folder, "iris", "odd", oddNames);
  await copied(folder, "iris", "many", () => ({
    labels: ["setosa", "versicolor", "virginica"].map(
      (name) => `${name} ${"of a long name ".repeat(3)}`,
    ),
  }));
  await writeFile(join(folder, "tensors/release.json"), '{"stable":"1"}');
  return folder;
}

/** Names and words that would be other code where they are written as they are. */
const oddNames = () => ({
  description:
    "Ends */ export const evil: 1; /* the comment.\n@deprecated {@link evil} \u2028\u202etxet",
  features: [
    { name: 'say "length"', type: "number", unit: "*/ cm" },
    { name: "class", type: "string", categories: ["`a`", 'b"', "c\\", "*/", "\u202e", "d\ne"] },
    { name: "größe im bild", type: "integer", minimum: -3, missing: 0 },
    { name: "__proto__", type: "boolean", description: "`${evil}`\u0000" },
  ],
  labels: ["don't", '"; evil', "\u2028\u200b日本"],
});

async function copied(
  folder: string,
  from: string,
  name: string,
  change: (manifest: Record<string, unknown>) => object,
): Promise<void> {
  await cp(join(folder, from), join(folder, name), { recursive: true });
  const path = join(folder, name, "1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const changed = { ...manifest, name, examples: [], ...change(manifest) };
  await writeFile(path, JSON.stringify(changed));
}

/** The output of `nearcast types` for the folder's models, which it removes. */
export async function generatedTypes(): Promise<string> {
  const folder = await typedModels();
  try {
    return await succeed(["types", folder]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
