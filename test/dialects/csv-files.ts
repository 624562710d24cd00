import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { filesOfModels } from "../../cli/local/models.ts";
import type { Target } from "../harness/targets.ts";
import { COLUMNS, writeColumns } from "../tasks/columns-model.ts";
import { emptyStore } from "../tasks/service.ts";

type Row = Record<string, unknown>;

/** A file of test/fixtures/csv, with the rows that pandas reads from it or what the refusal says. */
export interface CsvCase {
  name: string;
  model: "columns" | "typed" | "iris" | "sentiment";
  contentType: string;
  rows?: Row[];
  refused?: string;
}

const FOLDER = new URL("../fixtures/csv/", import.meta.url);

export const CSV_CASES = (
  JSON.parse(await readFile(new URL("recorded.json", FOLDER), "utf8")) as { cases: CsvCase[] }
).cases;

export function bytesOf({ name }: CsvCase): Promise<Buffer> {
  return readFile(new URL(`files/${name}.csv`, FOLDER));
}

export const FEATURES = {
  columns: COLUMNS,
  typed: [
    { name: "id", type: "string" },
    { name: "note", type: "string" },
    { name: "count", type: "integer" },
    { name: "amount", type: "number" },
    { name: "active", type: "boolean" },
  ],
} as const;

/**
 * Puts the model `columns` into a target's store: a feature of each type in, a number out. `gaps` is the same, and
 * takes missing values.
 */
export async function putColumns({ store }: Target): Promise<void> {
  const folder = await emptyStore();
  const replaced = { age: 1, income: 0.5, member: true, city: "Oslo" };
  await writeColumns(folder, "columns");
  await writeColumns(folder, "gaps", {
    features: COLUMNS.map((feature) => ({ ...feature, missing: replaced[feature.name] })),
  });
  for (const key of await filesOfModels(folder))
    await store.put(key, await readFile(join(folder, key)));
}
