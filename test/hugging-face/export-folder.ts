import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { draftFromHuggingFace } from "../../cli/add/from-hugging-face.ts";
import { writeVersion } from "../../cli/write-version.ts";
import type { LocalPackage } from "../../cli/package-folder.ts";

export type Json = Record<string, unknown>;

/** Another export with other members in its files. */
type Change = Record<string, Json | unknown[]>;

const fixtures = join(import.meta.dirname, "../fixtures/hugging-face");

/** A copy of an export folder, as its author has it, with changed files. Goes when `remove` is called. */
export async function exportFolder(name: string, change: Change = {}) {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-export-"));
  await cp(join(fixtures, name), folder, { recursive: true });
  for (const file of await readdir(folder))
    if (file.endsWith(".gz")) {
      const bytes = gunzipSync(await readFile(join(folder, file)));
      await writeFile(join(folder, file.slice(0, -3)), bytes);
    }
  for (const [file, members] of Object.entries(change)) {
    const path = join(folder, file);
    const given = await readFile(path, "utf8").then(JSON.parse, () => ({}));
    const changed = Array.isArray(members) ? members : merged(given as Json, members);
    await writeFile(path, JSON.stringify(changed));
  }
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

/** Members one level down are put beside the others too; ids of labels replace all. */
function merged(given: Json, members: Json): Json {
  const inner = members["model"] as Json | undefined;
  return {
    ...given,
    ...members,
    ...(inner && { model: { ...(given["model"] as Json), ...inner } }),
  };
}

/** Adds an export to a models folder as `nearcast add` does, and releases it. */
export async function addExport(
  models: string,
  name: string,
  task?: string,
  change: Change = {},
): Promise<LocalPackage> {
  const { folder, remove } = await exportFolder(name, change);
  const { graph, assets, manifest } = await draftFromHuggingFace(folder, { task });
  // What the export's owner says of its vectors.
  const said = await readFile(join(fixtures, `${name}.json`), "utf8").catch(() => "{}");
  const text = manifest.text && { ...manifest.text, ...(JSON.parse(said) as object) };
  const local = await writeVersion(
    models,
    {
      name,
      version: "1",
      description: "",
      examples: [],
      metrics: [],
      ...manifest,
      ...(text && { text }),
    },
    { artifact: { path: graph.path, file: "model.onnx" }, externalData: [], assets },
    async (made) => made.manifest,
  );
  await remove();
  await writeFile(join(dirname(local.folder), "release.json"), '{"stable":"1"}');
  return local;
}
