import type { Row, RowError } from "../inputs/row.ts";
import { writeJson } from "../wire/raw-number.ts";
import type { RowAnswer } from "./answer-rows.ts";
import { errorLine } from "./output-lines.ts";
import type { Counts } from "./batch.ts";

/** Rows that are answered together. */
export interface Chunk {
  /** The line of each row. */
  lines: number[];
  /** Errors of rows that are no inputs, by their places. */
  errors: Record<number, RowError>;
  /** Each input as JSON. */
  inputs: string[];
}

/** What a chunk's rows gave, as bytes. */
export interface ChunkAnswer {
  counts: Counts;
  output: Uint8Array<ArrayBuffer>;
  errors: Uint8Array<ArrayBuffer>;
}

interface AnswerHead extends Counts {
  errorBytes: number;
}

const LINE_FEED = 0x0a;

/** A first line of JSON, then a line for each input. */
export function writeChunk(rows: readonly Row[]): Uint8Array<ArrayBuffer> {
  const lines = rows.map(({ line }) => line);
  const errors = Object.fromEntries(
    rows.flatMap(({ error }, place) => (error ? [[place, error] as const] : [])),
  );
  const inputs = rows.map(({ input }) => writeJson(input ?? null));
  return new TextEncoder().encode([JSON.stringify({ lines, errors }), ...inputs].join("\n"));
}

export function readChunk(bytes: Uint8Array): Chunk {
  const [head = "", ...inputs] = new TextDecoder().decode(bytes).split("\n");
  return { ...(JSON.parse(head) as Omit<Chunk, "inputs">), inputs };
}

/** A first line of JSON, then the lines of errors, then those of outputs. Outputs are JSON already. */
export function writeAnswers(
  { lines }: Pick<Chunk, "lines">,
  answers: readonly RowAnswer[],
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const errors = encoder.encode(
    answers
      .map((one, place) => ("error" in one ? errorLine(lines[place] ?? 0, one.error) : ""))
      .join(""),
  );
  const failed = answers.filter((one) => "error" in one).length;
  const completed = answers.length - failed;
  const head: AnswerHead = { completed, failed, errorBytes: errors.length };
  const output = answers
    .map((one) => ("output" in one ? `${String(one.output)}\n` : "null\n"))
    .join("");
  const [first, last] = [encoder.encode(`${JSON.stringify(head)}\n`), encoder.encode(output)];
  const bytes = new Uint8Array(first.length + errors.length + last.length);
  bytes.set(first);
  bytes.set(errors, first.length);
  bytes.set(last, first.length + errors.length);
  return bytes;
}

export function readAnswers(bytes: Uint8Array<ArrayBuffer>): ChunkAnswer {
  const end = bytes.indexOf(LINE_FEED) + 1;
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as AnswerHead;
  const { completed, failed, errorBytes } = head;
  return {
    counts: { completed, failed },
    errors: bytes.subarray(end, end + errorBytes),
    output: bytes.subarray(end + errorBytes),
  };
}
