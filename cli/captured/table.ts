import type { DatasetRow } from "./dataset.ts";

const LABEL = "label";
/** The column of an input that has no names, as `nearcast eval` reads it. */
const INPUT = "input";

/** The columns of some rows. Throws an Error for inputs that have none. */
export function columnsOf(rows: readonly DatasetRow[]): string[] {
  return [...new Set(rows.flatMap(({ input }) => Object.keys(cellsOf(input))))];
}

/** The first line of a table. Throws an Error where an input has the name of the label. */
export function headerOf(columns: readonly string[]): string {
  if (columns.includes(LABEL))
    throw new Error("An input has the name label, as the last column: write .jsonl instead.");
  return lineOf([...columns, LABEL]);
}

/** Rows of a table: a column for each feature, or `input`, and `label`. */
export function toCsv(rows: readonly DatasetRow[], columns: readonly string[]): string {
  return rows
    .map(({ input, label }) => {
      const cells = cellsOf(input);
      return lineOf([...columns.map((name) => cells[name]), label]);
    })
    .join("");
}

/** Rows as `nearcast eval` reads them. */
export function toJsonl(rows: readonly DatasetRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

function cellsOf(input: unknown): Record<string, unknown> {
  if (typeof input === "string") return { [INPUT]: input };
  const isFlat =
    typeof input === "object" &&
    input !== null &&
    !Array.isArray(input) &&
    Object.values(input).every((value) => typeof value !== "object" || value === null);
  if (!isFlat) throw new Error("These inputs are no rows of columns: write .jsonl instead.");
  return input as Record<string, unknown>;
}

function lineOf(cells: readonly unknown[]): string {
  return `${cells.map(toCell).join(",")}\r\n`;
}

function toCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /[",\r\n]/.test(text) || text === "" ? `"${text.replaceAll('"', '""')}"` : text;
}
