import { dirname, extname } from "node:path";
import { NearcastError } from "../../functions/errors.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { CsvColumn } from "../../functions/wire/csv-cell.ts";
import { readTable } from "../../functions/wire/csv-table.ts";
import { referredFiles } from "../examples/files.ts";
import { unpack } from "../examples/pack.ts";
import { readText } from "../read-text.ts";

/** An input as the API takes it, and its true label. */
export interface Row {
  input: unknown;
  /** Undefined where the file gives none. */
  label: unknown;
  /** Line of the file, from 1. */
  line: number;
}

/**
 * Reads `.jsonl` or `.csv`. A line of `.jsonl` is `{"input": …, "label": …}`, and some may have no label. Large arrays may be NumPy files beside it, as in `examples.jsonl`. A `.csv` has a header, a column `label`, and the
 * features or one column `input`, with the types of the manifest. Throws an Error with the line that cannot be read,
 * or for a file without a labelled row, unless `labels` is optional.
 */
export async function readRows(
  path: string,
  manifest: Manifest,
  { labels = "required" }: { labels?: Labels } = {},
): Promise<Row[]> {
  const text = await readText(path).catch((cause: unknown) => {
    if (cause instanceof NearcastError) throw cause;
    throw new Error(`The data file ${path} cannot be read.`, { cause });
  });
  const rows =
    extname(path).toLowerCase() === ".csv"
      ? fromCsv(text, manifest, labels)
      : await fromJsonl(text, dirname(path));
  if (labels === "required" ? rows.every(({ label }) => label === undefined) : rows.length === 0)
    throw new Error(
      labels === "required"
        ? `${path} has no labelled row, so there is nothing to judge by.`
        : `${path} has no row.`,
    );
  return rows;
}

type Labels = "required" | "optional";

async function fromJsonl(text: string, folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    if (content.trim() === "") continue;
    const line = index + 1;
    let row: unknown;
    try {
      row = JSON.parse(content);
    } catch (cause) {
      throw new Error(`Line ${line} of the data is not JSON.`, { cause });
    }
    if (typeof row !== "object" || row === null || !("input" in row))
      throw new Error(`Line ${line} of the data is not of the form {"input": …, "label": …}.`);
    const truth = (row as { label?: unknown }).label;
    try {
      const input = unpack(row.input, await referredFiles(folder, row.input));
      rows.push({ input, label: truth, line });
    } catch (cause) {
      throw new Error(`Line ${line} of the data: ${(cause as Error).message}`, { cause });
    }
  }
  return rows;
}

const LABEL = "label";
const INPUT = "input";

function fromCsv(text: string, { features }: Manifest, labels: Labels): Row[] {
  const own: readonly CsvColumn[] = features ?? [{ name: INPUT, type: "string" }];
  const isFeature = own.some(({ name }) => name === LABEL);
  const columns = isFeature ? own : [...own, { name: LABEL, type: "string" as const }];
  const { rows } = readTable(text, {
    columns,
    header: "present",
    others: "ignore",
    required: (labels === "required" ? columns : own).map(({ name }) => name),
    maxRows: Infinity,
  });
  return rows.map(({ line, values }) => {
    const { [LABEL]: label, ...others } = values;
    if (label === undefined && labels === "required")
      throw new Error(`Line ${line} of the data has no label.`);
    return { line, label, input: features ? (isFeature ? values : others) : values[INPUT] };
  });
}
