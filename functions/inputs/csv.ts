import { invalidInput, NearcastError } from "../errors.ts";
import { rowMembers } from "../model/row-members.ts";
import type { Limits } from "../model/limits.ts";
import type { Manifest } from "../model/manifest.ts";
import type { InputKind } from "../tasks/define.ts";
import type { Datatype } from "../tensor.ts";
import { cellValue, type CellType, type CsvColumn, type DecimalMark } from "../wire/csv-cell.ts";
import { ambiguousHeader, isIndex } from "../wire/csv-header.ts";
import { emptyLineError, readTable, type Table } from "../wire/csv-table.ts";
import { parseCsv, SPARE_CELLS, type CsvRow } from "../wire/csv.ts";

/** The rows of a file, and the line on which each begins. */
export interface CsvRows {
  rows: unknown[];
  lines: number[];
  /** The decimal mark of its numbers, where it has another delimiter than the comma and a number shows it. */
  mark?: DecimalMark | undefined;
}

/** What of a version says how its rows are read. */
export interface RowsModel {
  manifest: Pick<Manifest, "features" | "lookup" | "inputs" | "batchDimension">;
  task: { input: InputKind };
  limits: Pick<Limits, "batch">;
}

/** Usual names of a column of texts, images or other values. A value itself is hardly ever one of these. */
const VALUE_NAMES = /^(0|texts?|sentences?|inputs?|instances|query|image)$/;

/** The types of cells for a graph's datatypes. */
const TYPES: Partial<Record<Datatype, CellType>> = {
  FP16: "number",
  FP32: "number",
  FP64: "number",
  INT64: "long",
  UINT64: "long",
  BOOL: "boolean",
  BYTES: "string",
};

/**
 * Reads CSV for a model: named features, the columns of its tensors, or one column of its inputs. `header` is the
 * parameter of the Content-Type (RFC 4180, section 3). Without it, a first line with the columns' names is a header;
 * one that could also be a row is refused. Throws `malformed_request` or `invalid_input`, with the line.
 */
export function readCsv(text: string, header: string | undefined, version: RowsModel): CsvRows {
  const { manifest, task, limits } = version;
  const isFree = task.input === "tensors" && manifest.batchDimension === null;
  const most = isFree ? Infinity : limits.batch;
  const read = rowsOf(text, header, version, most);
  // One row more than the limit was read.
  if (read.rows.length > most)
    throw invalidInput([{ path: "the CSV", message: `must have at most ${most} rows` }]);
  return read;
}

function rowsOf(
  text: string,
  header: string | undefined,
  version: RowsModel,
  maxRows: number,
): CsvRows {
  if (header !== undefined && header !== "present" && header !== "absent")
    throw new NearcastError(
      "malformed_request",
      "The parameter header of text/csv must be present or absent.",
    );
  const { manifest, task } = version;
  const options = { header, maxRows } as const;
  const columns = columnsOf(version);
  if (columns) return ofTable(readTable(text, { ...options, columns }));
  const isFrame = task.input === "tensors";
  const { rows, emptyLine } = parseCsv(text, {
    delimiter: ",",
    maxRows: maxRows + 1,
    ...(!isFrame && { maxCells: SPARE_CELLS }),
  });
  const [top] = rows;
  if (!top) return { rows: [], lines: [] };
  if (emptyLine !== undefined && top.cells.length === 1) throw emptyLineError(emptyLine);
  const type = TYPES[manifest.inputs[0]?.datatype ?? "FP32"] ?? "integer";
  const hasHeader = header
    ? header === "present"
    : headed(top, isFrame ? type : undefined, version);
  const index = hasHeader && top.cells.length > 1 && isIndex(top.cells[0] ?? "") ? 1 : 0;
  if (hasHeader) rows.shift();
  for (const row of rows) checkRow(row, top, isFrame ? undefined : index + 1);
  const cellOf = ({ line, cells, isQuoted }: CsvRow, column: number) =>
    isFrame
      ? elementOf(cells[column] ?? "", isQuoted(column), type, { line, column })
      : (cells[column] ?? "");
  return {
    rows: rows.map((row) => {
      const cells = row.cells.slice(index).map((_, column) => cellOf(row, index + column));
      return isFrame ? cells : cells[0];
    }),
    lines: rows.map(({ line }) => line),
  };
}

/** Turns an error's paths into lines of the CSV: `inputs[1].age` becomes `line 3, column age`. */
export function byLine(error: unknown, lines: readonly number[]): unknown {
  if (!(error instanceof NearcastError) || !error.issues) return error;
  return invalidInput(
    error.issues.map(({ path, message }) => {
      const found = /^(?:inputs|instances)\[(\d+)\](?:\.(.*))?$/s.exec(path);
      const line = lines[Number(found?.[1])];
      if (line === undefined) return { path, message };
      return { path: `line ${line}${found?.[2] ? `, column ${found[2]}` : ""}`, message };
    }),
  );
}

/** The columns by name: the features, or the inputs of a graph with several inputs. */
function columnsOf({ manifest, task }: RowsModel): readonly CsvColumn[] | undefined {
  if (manifest.features && task.input !== "tensors") return rowMembers(manifest);
  if (task.input !== "tensors" || manifest.inputs.length === 1) return undefined;
  return manifest.inputs.map(({ name, datatype }) => ({
    name,
    type: TYPES[datatype] ?? "integer",
  }));
}

function ofTable({ rows, mark }: Table): CsvRows {
  return { rows: rows.map(({ values }) => values), lines: rows.map(({ line }) => line), mark };
}

/** Whether the first line is a header. Frames have a `type`; a column of single values has none. */
function headed(top: CsvRow, type: CellType | undefined, { manifest }: RowsModel): boolean {
  const [first = "", ...others] = top.cells;
  const names = others.length > 0 && isIndex(first) ? others : top.cells;
  const named = names.every((name) => manifest.inputs.some((input) => input.name === name));
  if (type === undefined || type === "string") {
    if (names.length === 1 && (named || VALUE_NAMES.test(names[0] ?? ""))) return true;
    throw ambiguousHeader(top);
  }
  const isRow = top.cells.every((cell, column) => isElement(cell, top.isQuoted(column), type));
  const isNumbered = names.every((name, index) => name === String(index));
  if (isRow && (isNumbered || named)) throw ambiguousHeader(top);
  return !isRow;
}

function checkRow({ line, cells }: CsvRow, top: CsvRow, width = top.cells.length): void {
  const wanted = top.cells.length;
  const hint = width === 1 ? " Put texts with commas in quotes." : "";
  if (cells.length !== wanted)
    throw new NearcastError(
      "malformed_request",
      `Line ${line} of the CSV has ${cells.length} cells, line ${top.line} has ${wanted}.${hint}`,
    );
  if (wanted !== width)
    throw new NearcastError(
      "malformed_request",
      `The CSV has ${wanted} columns (${top.cells.join(", ").slice(0, 100)}), the model takes one.${hint}`,
    );
}

function isElement(cell: string, isQuoted: boolean, type: CellType): boolean {
  try {
    cellValue(cell, isQuoted, { type });
    return true;
  } catch {
    return false;
  }
}

/** A cell as an element of a tensor in JSON. A missing number is NaN, as pandas gives it to a model. */
function elementOf(
  cell: string,
  isQuoted: boolean,
  type: CellType,
  { line, column }: { line: number; column: number },
): unknown {
  try {
    const value = cellValue(cell, isQuoted, { type });
    if (value === undefined && type !== "number") throw new RangeError("is missing");
    return typeof value === "number" && !Number.isFinite(value) ? String(value) : (value ?? "NaN");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidInput([{ path: `line ${line}, column ${column + 1}`, message: error.message }]);
  }
}
