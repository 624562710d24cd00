import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addExport } from "../../hugging-face/export-folder.ts";
import { RECORDINGS } from "./recordings.ts";
import { ASKED, TOKENIZED } from "./places.ts";

const root = join(import.meta.dirname, "../../..");

/** A folder of the shipped models, one for each datatype, and one for each kind of tokenizer. */
export async function modelsFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-cost-"));
  await cp(join(root, "models"), folder, { recursive: true });
  await cp(join(root, "test/fixtures/identity"), folder, { recursive: true });
  for (const name of [...TOKENIZED, ...RECORDINGS]) await addExport(folder, name);
  for (const [name, [task]] of Object.entries(ASKED)) await addExport(folder, name, task);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
