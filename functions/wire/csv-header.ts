import { invalidInput, NearcastError } from "../errors.ts";
import { fits, type CsvColumn } from "./csv-cell.ts";
import type { CsvRow } from "./csv.ts";

export interface HeaderOptions {
  /** The known columns, in the order of a file without a header. */
  columns: readonly CsvColumn[];
  /** Whether the first line is a header. Detected if absent. */
  header?: "present" | "absent" | undefined;
  /** What to do with columns of other names; `refuse` when absent. An unnamed index is always ignored. */
  others?: "refuse" | "ignore";
  /** Columns that the header must have. */
  required?: readonly string[];
}

/** The name of an index: empty, as pandas and R write it, or the name that pandas gives to a column without one. */
const INDEX = /^(Unnamed: 0)?$/;

/**
 * The column of each cell by the header, or undefined for an ignored one. Returns undefined when the first line is not
 * a header. Throws `malformed_request` for a line that could be a header or a row, and `invalid_input` for columns that
 * are unknown or there twice.
 */
export function readHeader(
  top: CsvRow,
  options: HeaderOptions,
): readonly (CsvColumn | undefined)[] | undefined {
  const names = new Set(options.columns.map(({ name }) => name));
  return headed(top, options, names) ? orderOf(top, options, names) : undefined;
}

/**
 * The error for a first line that may be a header or a row. A guess could lose a row, or answer a row that nobody sent.
 */
export function ambiguousHeader({ line, cells }: CsvRow): NearcastError {
  const shown = cells.join(",").slice(0, 60);
  return new NearcastError(
    "malformed_request",
    `Line ${line} of the CSV (${shown}) may be a header or a row. Say which in the Content-Type: text/csv; header=present or header=absent.`,
  );
}

/** Counts the cells that are names of columns. */
export function knownIn(cells: readonly string[], names: ReadonlySet<string>): number {
  return cells.filter((cell) => names.has(cell)).length;
}

/** Whether the cell is the header of an index. */
export function isIndex(name: string): boolean {
  return INDEX.test(name);
}

/** `1 cell`, `2 cells`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function headed(top: CsvRow, { columns, header }: HeaderOptions, names: ReadonlySet<string>) {
  if (header) return header === "present";
  const known = knownIn(top.cells, names);
  const isHeader = known > 0 || isNumbered(top.cells);
  const isRow =
    top.cells.length === columns.length &&
    columns.every((column, index) => fits(top.cells[index] ?? "", top.isQuoted(index), column));
  if (!isRow && !isHeader && isOfWords(top, columns)) throw neither(top, columns);
  if (!isRow) return isHeader;
  const anyText = columns.every(({ type, categories }) => type === "string" && !categories);
  // The line has the names of all columns, and all columns take any text. Nobody sends such a row as data.
  if (anyText && known === columns.length) return true;
  if (isHeader || anyText) throw ambiguousHeader(top);
  return false;
}

/** Whether no cell of a column of numbers has a number: names that the model does not have. */
function isOfWords(top: CsvRow, columns: readonly CsvColumn[]): boolean {
  const typed = columns.flatMap((column, index) =>
    column.type === "string" ? [] : !fits(top.cells[index] ?? "", top.isQuoted(index), column),
  );
  return top.cells.length === columns.length && typed.length > 0 && typed.every(Boolean);
}

function neither({ line, cells }: CsvRow, columns: readonly CsvColumn[]): NearcastError {
  return new NearcastError(
    "malformed_request",
    `Line ${line} of the CSV (${cells.join(",").slice(0, 60)}) is neither a row nor a header of this model. Its columns are ${columns.map(({ name }) => name).join(", ")}.`,
  );
}

function orderOf(
  { line, cells }: CsvRow,
  { columns, others = "refuse", required = [] }: HeaderOptions,
  names: ReadonlySet<string>,
): readonly (CsvColumn | undefined)[] {
  if (required.length === 0 && isNumbered(cells) && knownIn(cells, names) === 0) {
    const skipped = INDEX.test(cells[0] ?? "") ? 1 : 0;
    if (cells.length - skipped !== columns.length) throw notColumns(cells, columns);
    return cells.map((_, index) => columns[index - skipped]);
  }
  const lacking = required.find((name) => !cells.includes(name));
  if (lacking !== undefined)
    throw new NearcastError(
      "malformed_request",
      `The CSV has no column ${lacking}; it has ${cells.join(", ").slice(0, 200)}.`,
    );
  const seen = new Set<string>();
  // If a column is missing, the unnamed one may be the missing one.
  const hasAll = columns.every(({ name }) => cells.includes(name));
  return cells.map((name, index) => {
    if (index === 0 && hasAll && INDEX.test(name) && !names.has(name)) return undefined;
    const column = columns.find((candidate) => candidate.name === name);
    if (!column && others === "refuse") throw notAColumn(name, index, columns);
    if (column && seen.has(name))
      throw invalidInput([
        { path: `line ${line}, column ${index + 1}`, message: `has the name ${name} again` },
      ]);
    seen.add(name);
    return column;
  });
}

function notAColumn(name: string, index: number, columns: readonly CsvColumn[]) {
  const known = columns.map((column) => column.name).join(", ");
  return invalidInput([
    {
      path: `column ${index + 1}`,
      message: `${name === "" ? "has no name" : `(${name}) is not a feature of this model`}: it takes ${known}`,
    },
  ]);
}

function notColumns(cells: readonly string[], columns: readonly CsvColumn[]): NearcastError {
  return new NearcastError(
    "malformed_request",
    `The CSV has ${countOf(cells.length, "column")}, the model takes ${columns.length}: ${columns.map(({ name }) => name).join(", ")}.`,
  );
}

/** `0,1,2`: the names that pandas gives to columns without names, with or without the index first. */
function isNumbered([first = "", ...others]: readonly string[]): boolean {
  const cells = INDEX.test(first) && others.length > 0 ? others : [first, ...others];
  return cells.every((cell, index) => cell === String(index));
}
