import Papa from "papaparse";
import { NearcastError } from "../errors.ts";

/** A row of the file. */
export interface CsvRow {
  /** The line where it begins, from 1. */
  line: number;
  cells: readonly string[];
  isQuoted: (column: number) => boolean;
}

export interface CsvOptions {
  delimiter: string;
  /** The most rows. One more is read, so that the caller notices; nothing is built from later rows. */
  maxRows: number;
  /** About the most cells of a line, as {@link checkCells} counts them. No limit when absent. */
  maxCells?: number;
}

const QUOTE = '"';
const LINE_FEED = 0x0a;

/** Cells that a line may have in addition to its columns: the commas in its quoted texts count as cells. */
export const SPARE_CELLS = 10_000;
const never = () => false;

/** The most empty lines, in addition to two for each row. Each takes time, and compressed bodies can have millions. */
const EMPTY_LINES = 1000;

/**
 * Reads the rows of CSV (RFC 4180) with any line ends. Empty lines are not rows; `emptyLine` is the first one that
 * comes before a row. Throws `malformed_request`, with the line, for a quote that is misplaced or never closed, for
 * mixed line ends, and for too many empty lines.
 */
export function parseCsv(
  text: string,
  { delimiter, maxRows, maxCells = Infinity }: CsvOptions,
): { rows: CsvRow[]; emptyLine: number | undefined } {
  checkCells(text, delimiter, maxCells);
  checkQuotes(text, delimiter);
  const newline = newlineOf(text);
  const odd = newline === "\n" ? "\r" : "\n";
  const mayBeOdd = text.includes(odd);
  const rows: CsvRow[] = [];
  let [line, start, empty, emptyLine] = [1, 0, 0, undefined as number | undefined];
  let firstEmpty: number | undefined;
  const tooEmpty = () => empty > EMPTY_LINES + 2 * rows.length;

  function take(cells: string[], end: number): void {
    const raw = text.slice(start, end);
    if (cells.length === 1 && /^\r*$/.test(cells[0] ?? "") && raw[0] !== QUOTE) {
      empty += 1;
      firstEmpty ??= line;
    } else {
      emptyLine ??= firstEmpty;
      const isQuoted = raw.includes(QUOTE) ? quotedIn(raw, cells) : never;
      const last = cells.length - 1;
      // Windows turns LF into CRLF. If the text already has CRLF, that makes CRCRLF.
      if (mayBeOdd && newline === "\n" && !isQuoted(last))
        cells[last] = (cells[last] ?? "").replace(/\r+$/, "");
      if (mayBeOdd && cells.some((cell, column) => cell.includes(odd) && !isQuoted(column)))
        throw malformed(`line ${line} has both kinds of line ends, CR and LF`);
      rows.push({ line, cells, isQuoted });
    }
    for (let at = raw.indexOf(newline); at !== -1; at = raw.indexOf(newline, at + 1)) line += 1;
    start = end;
  }

  Papa.parse<string[]>(text, {
    delimiter,
    newline,
    // The fast mode splits the whole text at once.
    fastMode: false,
    step({ data, meta }, parser) {
      take(data, meta.cursor);
      if (rows.length > maxRows || tooEmpty()) parser.abort();
    },
  });
  if (tooEmpty()) throw malformed(`it has ${empty} empty lines and ${rows.length} rows`);
  return { rows, emptyLine };
}

/**
 * Throws `malformed_request` for a line with more than `most` cells, before any is made: the parser would make a
 * million of them. Delimiters within quotes count too.
 */
export function checkCells(text: string, delimiter: string, most: number): void {
  if (text.length <= most || most === Infinity) return;
  const mark = delimiter.charCodeAt(0);
  let [cells, line] = [1, 1];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === LINE_FEED) [cells, line] = [1, line + 1];
    else if (code === mark) {
      cells += 1;
      if (cells > most) throw malformed(`line ${line} has more than ${most} cells`);
    }
  }
}

/** The first line, which shows the delimiter. */
export function firstLine(text: string): string {
  const start = /[^\r\n]/.exec(text)?.index ?? 0;
  return text.slice(start, lineEnd(text, start));
}

/** CR if the first line ends with CR alone, else LF. A CR before LF is cut off. */
function newlineOf(text: string): "\n" | "\r" {
  const end = lineEnd(text, 0);
  const [ends = ""] = /^[\r\n]*/.exec(text.slice(end, end + 4)) ?? [];
  return ends === "" || ends.includes("\n") ? "\n" : "\r";
}

/** The end of a line: the first line end outside quotes. */
function lineEnd(text: string, start: number): number {
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === QUOTE) quoted = !quoted;
    else if (!quoted && (character === "\n" || character === "\r")) return at;
  }
  return text.length;
}

/**
 * Refuses misplaced quotes. Lenient parsers take a quote within a cell as a character, or read on to the next quote, so
 * that rows merge.
 */
function checkQuotes(text: string, delimiter: string): void {
  const isEdge = (character: string | undefined) =>
    character === undefined || character === delimiter || character === "\n" || character === "\r";
  let after = 0;
  for (let open = text.indexOf(QUOTE); open !== -1; open = text.indexOf(QUOTE, after)) {
    if (!isEdge(text[open - 1]))
      throw malformed(
        `line ${lineOf(text, open)} has a quote within a cell: put the cell in quotes and write the quote twice`,
      );
    let close = text.indexOf(QUOTE, open + 1);
    while (close !== -1 && text[close + 1] === QUOTE) close = text.indexOf(QUOTE, close + 2);
    if (close === -1)
      throw malformed(`the quote that line ${lineOf(text, open)} opens is never closed`);
    after = close + 1;
    if (!isEdge(text[after]))
      throw malformed(`line ${lineOf(text, close)} has text after a closing quote`);
  }
}

/** Whether a cell was in quotes. The quotes are known to be right, so the cells' lengths show where each begins. */
function quotedIn(raw: string, cells: readonly string[]): (column: number) => boolean {
  let at = 0;
  const quoted = cells.map((cell) => {
    const isQuoted = raw[at] === QUOTE;
    at += (isQuoted ? cell.replaceAll(QUOTE, '""').length + 2 : cell.length) + 1;
    return isQuoted;
  });
  return (column) => quoted[column] ?? false;
}

function lineOf(text: string, at: number): number {
  let [line, returns] = [1, 0];
  for (let index = 0; index < at; index++) {
    const character = text[index];
    if (character === "\r") returns += 1;
    else {
      // CRs before an LF are part of the same line end.
      line += character === "\n" ? 1 : returns;
      returns = 0;
    }
  }
  return line + returns;
}

function malformed(reason: string): NearcastError {
  return new NearcastError("malformed_request", `The CSV cannot be read: ${reason}.`);
}
