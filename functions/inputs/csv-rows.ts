import { NearcastError } from "../errors.ts";
import { rowMembers } from "../model/row-members.ts";
import type { DecimalMark } from "../wire/csv-cell.ts";
import { emptyLineError } from "../wire/csv-table.ts";
import { readCsv, type CsvRows, type RowsModel } from "./csv.ts";
import { cutRecords, type Cut } from "./cut.ts";
import { pieceText } from "./piece-text.ts";
import { rowError, type Row, type Rows, type RowsOptions } from "./row.ts";
import type { Position, Source } from "./source.ts";

/** The first line of the file, if it is a header. Every piece is read with it. */
interface Header {
  text: string;
  lines: number;
  next: Position;
}

const INFINITE = /inf/i;
const START: Position = { offset: 0, line: 1 };
const NO_HEADER: Header = { text: "", lines: 0, next: START };

/** Rows of CSV, as a body of CSV is read. */
export async function* csvRows(
  source: Source,
  model: RowsModel,
  options: RowsOptions,
): AsyncGenerator<Rows> {
  const unlimited = { ...model, limits: { batch: Infinity } };
  const header = await readHeader(source, unlimited, options);
  const from = options.from ?? header.next;
  let { mark } = from;
  for await (const cut of cutRecords(source, from, { ...options, quoted: true })) {
    const read = readPiece(cut, header, unlimited, cut.next.offset === source.size);
    for (const { mark: own } of read.marks) {
      if (mark && own && mark !== own)
        throw new NearcastError(
          "malformed_request",
          `The CSV has numbers with a decimal comma and with a point: see the lines from ${cut.line} on, and those before.`,
        );
      mark ??= own;
    }
    const { offset } = cut.next;
    yield { rows: read.rows, next: { ...cut.next, mark }, share: offset / source.size };
  }
}

async function readHeader(source: Source, model: RowsModel, options: RowsOptions): Promise<Header> {
  if (options.header === "absent") return NO_HEADER;
  let text = "";
  for await (const cut of cutRecords(source, START, { ...options, rows: 1, quoted: true })) {
    text += pieceText(cut.bytes, cut.line);
    // A file may begin with empty lines.
    if (text.trim() === "") continue;
    if (readCsv(text, options.header, model).rows.length > 0) return NO_HEADER;
    const ended = /[\r\n]$/.test(text) ? text : `${text}\n`;
    return { text: ended, lines: cut.next.line - 1, next: cut.next };
  }
  throw new NearcastError("malformed_request", "The file has no row.");
}

interface Piece {
  rows: Row[];
  marks: { mark?: DecimalMark | undefined }[];
}

function readPiece(cut: Cut, header: Header, model: RowsModel, isLast: boolean): Piece {
  const read = (text: string) => {
    const found = readCsv(header.text + text, header.text ? "present" : "absent", model);
    return INFINITE.test(text) ? { ...found, rows: found.rows.map(asJson) } : found;
  };
  const text = pieceText(cut.bytes, cut.line);
  const whole = isLast ? text.trimEnd() : text;
  if (whole.trim() === "" && isLast) return { rows: [], marks: [] };
  // In a single column, an empty line may be an empty text or nothing.
  const { manifest } = model;
  const isSingle = !manifest.features || rowMembers(manifest).length === 1;
  if (isSingle && /^[ \t\r]*$/m.test(whole.replace(/\n$/, ""))) return oneByOne(cut, header, read);
  try {
    const found = read(text);
    const shift = cut.line - 1 - header.lines;
    return {
      rows: found.rows.map((input, index) => ({ line: (found.lines[index] ?? 0) + shift, input })),
      marks: [found],
    };
  } catch (error) {
    rowError(error);
    return oneByOne(cut, header, read);
  }
}

/** Infinite numbers in words, as JSON has them. */
function asJson(row: unknown): unknown {
  if (typeof row !== "object" || row === null) return row;
  const cells = Object.entries(row).map(([name, value]): [string, unknown] => [
    name,
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  ]);
  return Object.fromEntries(cells);
}

/** Reads each record for itself, so that a wrong one does not spoil the others. */
function oneByOne(
  { bytes, ends, line: first }: Cut,
  header: Header,
  read: (text: string) => CsvRows,
): Piece {
  const rows: Row[] = [];
  const marks: CsvRows[] = [];
  let [start, line] = [0, first];
  for (const end of ends) {
    const text = pieceText(bytes.subarray(start, end), line);
    const shifted = (words: string) => atLine(words, line - 1 - header.lines);
    try {
      const found = read(text);
      if (found.rows.length === 0) throw emptyLineError(header.lines + 1);
      rows.push({ line, input: found.rows[0] });
      marks.push(found);
    } catch (error) {
      const { code, detail, errors } = rowError(error);
      // Where a quote is misplaced, nobody knows which lines are one row.
      if (/\S[\r\n]+\S/.test(text)) throw new NearcastError("malformed_request", shifted(detail));
      const issues = errors?.map(({ path, message }) => ({ path: shifted(path), message }));
      rows.push({
        line,
        error: { code, detail: shifted(detail), ...(issues && { errors: issues }) },
      });
    }
    line += text.match(/\r\n|\n|\r/g)?.length ?? 0;
    start = end;
  }
  return { rows, marks };
}

/** A text about a line of a piece, as one about the line of the file. */
function atLine(text: string, shift: number): string {
  const moved = (_: string, word: string, line: string) => `${word} ${Number(line) + shift}`;
  return text.replace(/\b([Ll]ines?) (\d+)/g, moved);
}
