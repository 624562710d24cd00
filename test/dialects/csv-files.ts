import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { filesOfModels } from "../../cli/local/models.ts";
import type { Target } from "../harness/targets.ts";
import { emptyStore, fixture, writePackage } from "../tasks/service.ts";

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
  columns: [
    { name: "age", type: "integer", minimum: 0, maximum: 150, unit: "years" },
    { name: "income", type: "number" },
    { name: "member", type: "boolean" },
    { name: "city", type: "string", categories: ["Oslo", "Bergen"] },
  ],
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
  await writeColumns(folder, "columns", FEATURES.columns);
  await writeColumns(
    folder,
    "gaps",
    FEATURES.columns.map((feature) => ({ ...feature, missing: replaced[feature.name] })),
  );
  for (const key of await filesOfModels(folder))
    await store.put(key, await readFile(join(folder, key)));
}

async function writeColumns(folder: string, name: string, features: readonly object[]) {
  await writePackage(folder, {
    artifact: await fixture("graphs/columns.onnx"),
    manifest: {
      name,
      task: "tabular-regression",
      inputs: [
        { name: "age", datatype: "INT64", shape: [-1, 1] },
        { name: "income", datatype: "FP32", shape: [-1, 1] },
        { name: "member", datatype: "BOOL", shape: [-1, 1] },
        { name: "city", datatype: "BYTES", shape: [-1, 1] },
      ],
      outputs: [{ name: "value", datatype: "FP32", shape: [-1, 1] }],
      features,
      regression: { output: "value" },
    },
  });
}
