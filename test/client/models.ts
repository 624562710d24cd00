import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addExport } from "../hugging-face/export-folder.ts";

const shipped = join(import.meta.dirname, "../../models");

/** A folder with shipped models, of which iris takes feedback, and with a ranker. The caller removes it. */
export async function clientModels(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-client-models-"));
  for (const name of ["iris", "search", "digits"])
    await cp(join(shipped, name), join(folder, name), { recursive: true });
  const path = join(folder, "iris/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, feedback: { keptSeconds: 3600 } }));
  await addExport(folder, "rank-bert", "text-ranking");
  return folder;
}
