import { InputIssues, NearcastError } from "../errors.ts";
import { checkCells, firstLine, parseCsv, SPARE_CELLS, type CsvRow } from "./csv.ts";
import { cellValue, markOf, type CsvColumn, type DecimalMark } from "./csv-cell.ts";
import { countOf, knownIn, readHeader, type HeaderOptions } from "./csv-header.ts";

export interface TableOptions extends HeaderOptions {
  maxRows: number;
}

export interface TableRow {
  line: number;
  /** Values by column. A missing value has no member. */
  values: Record<string, unknown>;
}

export interface Table {
  rows: TableRow[];
  /** Undefined where no number shows it. */
  mark: DecimalMark | undefined;
}

/** The usual delimiters. Excel writes `;` where the comma is the decimal mark. */
const DELIMITERS = [",", ";", "\t", "|"];

/**
 * Rows of named columns from CSV. The delimiter is the one that splits the header into columns. If it is not the comma,
 * numbers may have decimal commas, in all numbers or in none. Throws `malformed_request` as {@link parseCsv} does, and
 * for a first line that could be a header or a row. Throws `invalid_input`, with line and column, for a cell that does
 * not fit its column's type.
 */
export function readTable(text: string, options: TableOptions): Table {
  const { columns, maxRows } = options;
  const names = new Set(columns.map(({ name }) => name));
  const first = firstLine(text);
  const maxCells = options.others === "ignore" ? Infinity : columns.length + SPARE_CELLS;
  for (const mark of DELIMITERS) checkCells(first, mark, maxCells);
  const delimiter =
    DELIMITERS.find(
      (mark) => knownIn(cellsOf(first, mark), names) > (columns.length > 1 ? 1 : 0),
    ) ?? ",";
  const { rows, emptyLine } = parseCsv(text, { delimiter, maxRows: maxRows + 1, maxCells });
  const [top] = rows;
  if (!top) return { rows: [], mark: undefined };
  const header = readHeader(top, options);
  if (header) rows.shift();
  const order = header ?? columns;
  if (order.length === 1 && emptyLine !== undefined) throw emptyLineError(emptyLine);
  for (const row of rows) checkWidth(row, order.length, Boolean(header), delimiter, first);
  const mark = delimiter === "," ? undefined : decimalMark(rows, order);
  const issues = new InputIssues();
  const table = rows.map((row) => ({ line: row.line, values: valuesOf(row, order, mark, issues) }));
  issues.check();
  return { rows: table, mark };
}

/**
 * The error for an empty line, which may be an empty text or nothing. A wrong guess would shift all answers after it.
 */
export function emptyLineError(line: number): NearcastError {
  return new NearcastError(
    "malformed_request",
    `Line ${line} of the CSV is empty: write "" for an empty text, or leave the line out.`,
  );
}

/** Throws `malformed_request` for a row with another number of cells than there are columns. */
function checkWidth(
  { line, cells }: CsvRow,
  width: number,
  hasHeader: boolean,
  delimiter: string,
  first: string,
): void {
  if (cells.length === width) return;
  const other = DELIMITERS.find((mark) => mark !== delimiter && first.includes(mark));
  const hint = other
    ? ` Is ${JSON.stringify(other)} its delimiter? A header with the names of the columns says so.`
    : "";
  const wanted = hasHeader ? "the header" : "the model";
  throw new NearcastError(
    "malformed_request",
    `Line ${line} of the CSV has ${countOf(cells.length, "cell")}, ${wanted} has ${countOf(width, "column")}.${hint}`,
  );
}

/** The decimal mark of the whole file. With a comma as the mark, 1.234 would be another number. */
function decimalMark(
  rows: readonly CsvRow[],
  order: readonly (CsvColumn | undefined)[],
): DecimalMark | undefined {
  let found: { mark: DecimalMark; line: number } | undefined;
  for (const { line, cells } of rows)
    for (const [index, column] of order.entries()) {
      if (!column || column.type === "string" || column.type === "boolean") continue;
      const mark = markOf(cells[index] ?? "");
      if (mark && found && found.mark !== mark)
        throw new NearcastError(
          "malformed_request",
          `The CSV has numbers with a decimal comma and with a point: see lines ${found.line} and ${line}.`,
        );
      if (mark) found ??= { mark, line };
    }
  return found?.mark;
}

function valuesOf(
  { line, cells, isQuoted }: CsvRow,
  order: readonly (CsvColumn | undefined)[],
  mark: DecimalMark | undefined,
  issues: InputIssues,
): Record<string, unknown> {
  const values: [string, unknown][] = [];
  order.forEach((column, index) => {
    if (!column) return;
    try {
      const value = cellValue(cells[index] ?? "", isQuoted(index), column, mark);
      if (value !== undefined) values.push([column.name, value]);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      issues.push({ path: `line ${line}, column ${column.name}`, message: error.message });
    }
  });
  return Object.fromEntries(values);
}

function cellsOf(line: string, delimiter: string): readonly string[] {
  try {
    return parseCsv(line, { delimiter, maxRows: 1 }).rows[0]?.cells ?? [];
  } catch {
    return [];
  }
}
