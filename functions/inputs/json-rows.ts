import { NearcastError } from "../errors.ts";
import { parseJsonText } from "../wire/json.ts";
import type { RowsModel } from "./csv.ts";
import { cutRecords } from "./cut.ts";
import { pieceText } from "./piece-text.ts";
import { rowError, type Row, type Rows, type RowsOptions } from "./row.ts";
import type { Source } from "./source.ts";

const START = { offset: 0, line: 1 };
/** What begins with a tag or a mark of another format is no file of lines. */
const NOT_JSON = /^\s*(<|PAR1)/;

/**
 * Rows of JSONL. A line is the input, or `{"input": …}` with further members that are ignored, unless the model has a
 * feature of that name. Empty lines are no rows. A whole file of JSON is refused.
 */
export async function* jsonRows(
  source: Source,
  model: RowsModel,
  options: RowsOptions,
): AsyncGenerator<Rows> {
  const from = options.from ?? START;
  const hasInput = model.manifest.features?.some(({ name }) => name === "input") ?? false;
  for await (const cut of cutRecords(source, from, { ...options, quoted: false })) {
    const text = pieceText(cut.bytes, cut.line);
    if (cut.line === 1 && NOT_JSON.test(text))
      throw new NearcastError("malformed_request", "The file is not JSONL: an input on each line.");
    const rows: Row[] = [];
    let { line } = cut;
    for (const content of linesOf(text)) {
      if (content.trim() !== "") rows.push(rowOf(content, line, hasInput));
      line += 1;
    }
    yield { rows, next: cut.next, share: cut.next.offset / source.size };
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(text.includes("\n") ? "\n" : "\r");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function rowOf(content: string, line: number, hasInput: boolean): Row {
  try {
    const value = parseJsonText(content, `Line ${line}`);
    const isWrapped =
      !hasInput && typeof value === "object" && value !== null && Object.hasOwn(value, "input");
    return { line, input: isWrapped ? (value as { input: unknown }).input : value };
  } catch (error) {
    return { line, error: rowError(error) };
  }
}
