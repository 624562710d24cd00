import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { Manifest } from "../../functions/model/manifest.ts";

/** An input as the API takes it, with what is true of it. */
export interface Row {
  input: unknown;
  label: unknown;
  /** Line of the file, from 1. */
  line: number;
}

/**
 * Reads `.jsonl` (a line `{"input": …, "label": …}` each; lines without a label are left out), or `.csv`
 * with a header: a column `label`, and the features or one column `input`. Throws an Error on a file
 * without a labelled row.
 */
export async function readRows(path: string, manifest: Manifest): Promise<Row[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`The data file ${path} cannot be read.`, { cause });
  });
  const rows = extname(path).toLowerCase() === ".csv" ? fromCsv(text, manifest) : fromJsonl(text);
  if (rows.length === 0)
    throw new Error(`${path} has no labelled row, so there is nothing to judge by.`);
  return rows;
}

function fromJsonl(text: string): Row[] {
  return text.split("\n").flatMap((content, index) => {
    if (content.trim() === "") return [];
    const line = index + 1;
    let row: unknown;
    try {
      row = JSON.parse(content);
    } catch (cause) {
      throw new Error(`Line ${line} of the data is not JSON.`, { cause });
    }
    if (typeof row !== "object" || row === null || !("input" in row))
      throw new Error(`Line ${line} of the data is not of the form {"input": …, "label": …}.`);
    return "label" in row ? [{ input: row.input, label: row.label, line }] : [];
  });
}

function fromCsv(text: string, { features }: Manifest): Row[] {
  const [header = [], ...records] = parseCsv(text.replace(/^\uFEFF/, ""));
  const column = (name: string): number => {
    const index = header.indexOf(name);
    if (index === -1)
      throw new Error(`The data has no column ${name}; it has ${header.join(", ") || "none"}.`);
    return index;
  };
  const label = column("label");
  const columns = features?.map(({ name, type }) => ({ name, type, index: column(name) }));
  const input = columns ? -1 : column("input");
  return records.map((record, index) => ({
    line: index + 2,
    label: record[label],
    input: columns
      ? Object.fromEntries(
          columns.map(({ name, type, index }) => [name, typed(record[index] ?? "", type)]),
        )
      : record[input],
  }));
}

/** An empty cell is a missing value: the model's own check says so. */
function typed(cell: string, type: string): unknown {
  if (type === "string") return cell;
  if (type === "boolean" && /^(true|false)$/i.test(cell)) return cell.toLowerCase() === "true";
  return cell.trim() === "" || Number.isNaN(Number(cell)) ? cell : Number(cell);
}

/** RFC 4180: commas, quoted cells with doubled quotes, line ends within quotes. Blank lines are left out. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g,
  )) {
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  return records;
}
