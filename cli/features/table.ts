import { extname } from "node:path";
import { InputIssues, NearcastError } from "../../functions/errors.ts";
import { keysOf, readEntityId } from "../../functions/features/entity.ts";
import { canBe } from "../../functions/features/plan.ts";
import type { StoredFeatures } from "../../functions/features/source.ts";
import { parquetRows } from "../../functions/inputs/parquet-rows.ts";
import type { Feature, Manifest } from "../../functions/model/manifest.ts";
import { datatypesOf } from "../../functions/tasks/check-lookup.ts";
import { problemWith } from "../../functions/tasks/tabular/feature.ts";
import type { Datatype } from "../../functions/tensor.ts";
import { readTable } from "../../functions/wire/csv-table.ts";
import { openFile } from "../batch/file-source.ts";
import { readText } from "../read-text.ts";

type Lookup = NonNullable<Manifest["lookup"]>;

/** The columns of a table for one lookup. */
export interface TableColumns {
  lookup: Lookup;
  /** A column for each looked-up feature, by its name in the source, with what the graph takes it as. */
  features: readonly (Feature & { datatype: Datatype })[];
  /** The column with the time of a row's event. */
  at: string;
}

const MIB = 1024 * 1024;
const PARQUET = { format: "parquet", rows: 10_000, bytes: 16 * MIB, lineBytes: MIB } as const;

interface TableRow {
  line: number;
  values: Readonly<Record<string, unknown>>;
}

/** The columns that the manifest's lookup asks for. Throws an Error for a manifest without one. */
export function columnsOf(manifest: Manifest, at: string): TableColumns {
  const { name, lookup, features = [] } = manifest;
  if (!lookup)
    throw new Error(`The manifest of ${name} has no lookup, so nothing says what to load.`);
  const datatypes = datatypesOf(manifest);
  const columns = lookup.features.flatMap(({ name: own, from = own }) => {
    const feature = features.find((one) => one.name === own);
    return feature ? [{ ...feature, name: from, datatype: datatypes.get(own) ?? "FP32" }] : [];
  });
  return { lookup, features: columns, at };
}

/**
 * Reads a table: `.csv` with a header, `.jsonl` with an object on each line, or `.parquet`. Of several rows of an entity
 * the latest counts. Throws an Error that names the line of a wrong key, value or time.
 */
export async function readFeatureTable(
  path: string,
  columns: TableColumns,
): Promise<StoredFeatures[]> {
  const latest = new Map<string, StoredFeatures>();
  for await (const row of rowsOf(path, columns)) {
    const { id, stored } = storedOf(row, columns);
    const known = latest.get(id);
    if (!known || (stored.at ?? 0) >= (known.at ?? 0)) latest.set(id, stored);
  }
  if (latest.size === 0) throw new Error(`${path} has no row.`);
  return [...latest.values()];
}

async function* rowsOf(path: string, columns: TableColumns): AsyncGenerator<TableRow> {
  const ending = extname(path).toLowerCase();
  if (ending === ".csv") yield* csvRows(await readText(path), columns);
  else if (ending === ".jsonl") yield* jsonRows(await readText(path));
  else if (ending === ".parquet") yield* fromParquet(path, columns);
  else throw new Error(`${path} is neither .csv nor .jsonl nor .parquet.`);
}

function csvRows(text: string, { lookup, features, at }: TableColumns): TableRow[] {
  const time = { name: at, type: "string" as const };
  const { rows } = readTable(text, {
    columns: [...lookup.keys, ...features, time],
    header: "present",
    others: "ignore",
    required: [...lookup.keys, ...features].map(({ name }) => name),
    maxRows: Infinity,
  });
  return rows;
}

function* jsonRows(text: string): Generator<TableRow> {
  for (const [index, content] of text.split("\n").entries()) {
    if (content.trim() === "") continue;
    let values: unknown;
    try {
      values = JSON.parse(content);
    } catch (cause) {
      throw new Error(`Line ${index + 1} is not JSON.`, { cause });
    }
    if (typeof values !== "object" || values === null || Array.isArray(values))
      throw new Error(`Line ${index + 1} is not an object.`);
    yield { line: index + 1, values: values as TableRow["values"] };
  }
}

async function* fromParquet(
  path: string,
  { lookup, features, at }: TableColumns,
): AsyncGenerator<TableRow> {
  const { source, close } = await openFile(path);
  const all: Feature[] = [...lookup.keys, ...features, { name: at, type: "string" }];
  const model = {
    manifest: { features: all, lookup: undefined, inputs: [], batchDimension: undefined },
    task: { input: "features" as const },
    limits: { batch: Infinity },
  };
  try {
    for await (const { rows } of parquetRows(source, model, PARQUET))
      for (const { line, input } of rows) yield { line, values: input as TableRow["values"] };
  } finally {
    await close();
  }
}

function storedOf(
  { line, values }: TableRow,
  { lookup, features, at }: TableColumns,
): { id: string; stored: StoredFeatures } {
  const wrong = (why: string) => new Error(`Line ${line}: ${why}.`);
  const issues = new InputIssues();
  const id = readEntityId(values, lookup.keys, "row", issues);
  if (id === undefined) throw wrong(messageOf(issues));
  const stored: Record<string, unknown> = {};
  for (const feature of features) {
    const value = Object.hasOwn(values, feature.name) ? values[feature.name] : undefined;
    if (value === undefined || value === null) continue;
    const problem = problemWith(value, feature, feature.datatype, { textLength: Infinity });
    if (problem) throw wrong(`${feature.name} ${problem}`);
    stored[feature.name] = value;
  }
  const time = timeOf(values[at]);
  if (Number.isNaN(time))
    throw wrong(`${at} must be a time with its zone, such as 2026-01-31T12:00:00Z`);
  if (time !== undefined && !canBe(time, Date.now()))
    throw wrong(`${at} is in the future; a number must be in milliseconds since 1970`);
  const keys = keysOf(values, lookup.keys);
  return { id, stored: { keys, values: stored, ...(time !== undefined && { at: time }) } };
}

function messageOf(issues: InputIssues): string {
  try {
    issues.check();
    return "has no keys";
  } catch (error) {
    return (error as NearcastError).message.replace(/^row\.?/, "");
  }
}

/** ISO 8601 with a zone, or a date, or milliseconds since 1970. NaN for anything else: a guess would be hours off. */
function timeOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "number") return Number.isInteger(value) ? value : NaN;
  // All values of .csv are texts.
  if (typeof value === "string" && /^\d+$/.test(value)) return Number(value);
  const isTime =
    typeof value === "string" &&
    /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.test(value);
  return isTime ? Date.parse(value) : NaN;
}
