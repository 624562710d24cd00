import { concatenate } from "../concatenate.ts";
import type { Row, RowError } from "../inputs/row.ts";
import { writeJson } from "../wire/raw-number.ts";
import type { RowAnswer } from "./answer-rows.ts";
import { errorLine, lineOf } from "./output-lines.ts";
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

type AnswerHead = Omit<Counts, "outputBytes">;

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

/** The answers of rows that are inputs, as {@link writeLines} writes them. Outputs and statuses are JSON already. */
export function writeAnswers(
  { lines }: Pick<Chunk, "lines">,
  answers: readonly RowAnswer[],
): Uint8Array<ArrayBuffer> {
  const errors = answers.map((one, place) =>
    "error" in one ? errorLine(lines[place] ?? 0, one.error) : "",
  );
  const outputs = answers.map((one) =>
    "output" in one ? lineOf(one.output as string, one.features as string | undefined) : "null\n",
  );
  const failed = answers.filter((one) => "error" in one).length;
  return writeLines({ completed: answers.length - failed, failed }, outputs, errors);
}

/** A first line of JSON, then the lines of errors, then those of outputs. Each ends with its line feed. */
export function writeLines(
  counts: Pick<AnswerHead, "completed" | "failed">,
  outputs: readonly string[],
  errors: readonly string[],
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const [error, output] = [encoder.encode(errors.join("")), encoder.encode(outputs.join(""))];
  const head = encoder.encode(`${JSON.stringify({ ...counts, errorBytes: error.length })}\n`);
  return concatenate([head, error, output]);
}

export function readAnswers(bytes: Uint8Array<ArrayBuffer>): ChunkAnswer {
  const end = bytes.indexOf(LINE_FEED) + 1;
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as AnswerHead;
  const { completed, failed, errorBytes } = head;
  const outputBytes = bytes.length - end - errorBytes;
  return {
    counts: { completed, failed, outputBytes, errorBytes },
    errors: bytes.subarray(end, end + errorBytes),
    output: bytes.subarray(end + errorBytes),
  };
}
