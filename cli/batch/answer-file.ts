import { answerRows, type RowAnswer } from "../../functions/batches/answer-rows.ts";
import {
  csvLines,
  errorLine,
  lookedUpBy,
  outputLine,
  type OutputFormat,
} from "../../functions/batches/output-lines.ts";
import type { Row, Rows, RowsOptions } from "../../functions/inputs/row.ts";
import { readRows } from "../../functions/inputs/rows.ts";
import type { Source } from "../../functions/inputs/source.ts";
import type { Asked } from "./asked.ts";
import type { Output } from "./output.ts";

/** How much of the file is in one request, and how long a line may be. */
const PIECE_BYTES = 512 * 1024;
const LINE_BYTES = 6 * 1024 * 1024;

interface Answered extends Rows {
  answers: RowAnswer[];
}

interface Options extends Pick<RowsOptions, "format" | "header"> {
  output: OutputFormat;
  /** Told after each step which share of the file is done, and how many rows. */
  onStep: (share: number, rows: number) => void;
}

/**
 * Answers a file's rows, some at a time, and writes outputs and errors in the order of the rows. Goes on where the
 * output ends.
 */
export async function answerFile(
  source: Source,
  asked: Asked,
  into: Output,
  { output: format, onStep, ...options }: Options,
): Promise<void> {
  const pieces = readRows(source, asked.model, {
    ...options,
    from: into.progress.next,
    rows: asked.rows,
    bytes: PIECE_BYTES,
    lineBytes: LINE_BYTES,
  });
  const { lookup } = asked.model.manifest;
  const csv = { columns: into.progress.columns, waiting: into.progress.waiting };

  async function write({ rows, answers, next, share }: Answered): Promise<void> {
    const lines =
      format === "csv"
        ? csvLines(csv, answers.map(valueOf), lookup && lookedUpBy(lookup))
        : answers.map((answer) => outputLine(answer)).join("");
    const errors = answers.map((answer, index) =>
      "error" in answer ? errorLine(rows[index]?.line ?? 0, answer.error) : "",
    );
    const { progress } = into;
    const failed = errors.filter(Boolean).length;
    const done = { rows: progress.rows + rows.length, failed: progress.failed + failed };
    await into.write(lines, errors.join(""), { ...done, ...csv, next });
    onStep(share, done.rows);
  }

  const underWay: Promise<Answered>[] = [];
  for await (const piece of pieces) {
    if (piece.rows.length === 0) continue;
    const answered = answerPiece(piece, asked);
    // It is waited for in its turn.
    answered.catch(() => {});
    underWay.push(answered);
    if (underWay.length >= asked.atOnce) await write(await (underWay.shift() as Promise<Answered>));
  }
  for (const answered of underWay) await write(await answered);
}

/** What a line of JSONL has. */
function valueOf(answer: RowAnswer): unknown {
  if (!("output" in answer)) return null;
  return answer.features ? (JSON.parse(outputLine(answer)) as unknown) : answer.output;
}

async function answerPiece(piece: Rows, { ask }: Asked): Promise<Answered> {
  const right = piece.rows.filter((row) => !row.error);
  const given = await answerRows(
    right.map(({ input }) => input),
    ask,
  );
  const byRow = new Map<Row, RowAnswer>(
    right.map((row, index) => [row, given[index] as RowAnswer]),
  );
  const answers = piece.rows.map(
    (row) => byRow.get(row) ?? { error: row.error ?? { code: "internal", detail: "No answer." } },
  );
  return { ...piece, answers };
}
