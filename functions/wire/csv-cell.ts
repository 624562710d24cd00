/** The type of a column's cells. `long` is an integer of 64 bits. */
export type CellType = "number" | "integer" | "long" | "boolean" | "string";

export interface CsvColumn {
  name: string;
  type: CellType;
  /** The only strings that the column may have. */
  categories?: readonly string[] | undefined;
}

/** The decimal mark of a file's numbers. */
export type DecimalMark = "." | ",";

/** Texts that pandas reads as a missing number, or that pandas, R, Excel or SQL write for one. */
const MISSING =
  /^(|#N\/A|#N\/A N\/A|#NA|<NA>|N\/A|NA|NULL|None|n\/a|null|-?(NaN|nan)|-?1\.#(IND|QNAN))$/;

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const WITH_COMMA = /^[+-]?\d+,\d+([eE][+-]?\d+)?$/;
const INFINITE = /^([+-]?)inf(inity)?$/i;

/**
 * The value of a cell. The column's type decides how to read it, never the cell's look: `007` in a column of strings is
 * text. Undefined for a missing value. Throws a RangeError that says what is wrong.
 */
export function cellValue(
  cell: string,
  isQuoted: boolean,
  { type, categories }: Omit<CsvColumn, "name">,
  mark: DecimalMark = ".",
): unknown {
  if (type === "string") return stringOf(cell, isQuoted, categories);
  const trimmed = cell.trim();
  if (MISSING.test(trimmed)) return undefined;
  if (type === "boolean") return booleanOf(trimmed);
  const text = mark === "," && WITH_COMMA.test(trimmed) ? trimmed.replace(",", ".") : trimmed;
  if (type === "long" && /^[+-]?\d+$/.test(text)) return longOf(text);
  if (NUMBER.test(text)) return Number(text);
  const infinite = INFINITE.exec(text);
  if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
  if (WITH_COMMA.test(text))
    throw new RangeError(`must be a number with a decimal point, is ${shown(cell)}`);
  throw new RangeError(`must be a number, is ${shown(cell)}`);
}

/** The decimal mark of a number that has one. */
export function markOf(cell: string): DecimalMark | undefined {
  const trimmed = cell.trim();
  if (WITH_COMMA.test(trimmed)) return ",";
  return NUMBER.test(trimmed) && trimmed.includes(".") ? "." : undefined;
}

/** Whether the cell could be a value of the column, or a missing one. */
export function fits(cell: string, isQuoted: boolean, column: Omit<CsvColumn, "name">): boolean {
  if (column.type === "string")
    return !column.categories || column.categories.includes(cell) || MISSING.test(cell);
  try {
    cellValue(cell, isQuoted, column, ",");
    return true;
  } catch {
    return false;
  }
}

/** pandas and R write a missing string as nothing or NA. As texts, both must be in quotes. */
function stringOf(cell: string, isQuoted: boolean, categories: readonly string[] | undefined) {
  if (categories?.includes(cell)) return cell;
  if (cell === "" && !isQuoted) return undefined;
  if (cell !== "NA" || isQuoted) return cell;
  if (categories) return undefined;
  throw new RangeError(
    'is NA, which may be text or missing: write "NA" in quotes for the text, nothing for a missing value',
  );
}

function booleanOf(cell: string): boolean {
  if (/^(true|1)$/i.test(cell)) return true;
  if (/^(false|0)$/i.test(cell)) return false;
  throw new RangeError(`must be true or false, is ${shown(cell)}`);
}

function longOf(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text.replace("+", ""));
}

function shown(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}…` : cell);
}
