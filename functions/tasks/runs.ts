import type { Deadline } from "../load/deadline.ts";
import { NearcastError } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Session } from "../runtime/types.ts";
import { elementCount, type Tensor, type Tensors } from "../tensor.ts";
import type { CompiledTask, InParts, Parts, Run } from "./define.ts";

/**
 * Runs the session once for each run, one after the other: ONNX Runtime computes no two at a time.
 * Rejects when the deadline is over, with the task's refusal, or with `model_corrupt` when a checked input
 * fails; with `out_of_memory` or `runtime_failed` when that was the reason.
 */
export async function runAll(
  session: Session,
  task: Pick<CompiledTask, "outputNames" | "refusal">,
  runs: readonly Pick<Run, "feeds">[],
  { deadline, owner }: { deadline: Deadline; owner: string },
): Promise<Tensors[]> {
  const results: Tensors[] = [];
  for (const { feeds } of runs) {
    deadline.check();
    try {
      results.push(await session.run(feeds, task.outputNames, owner));
    } catch (cause) {
      if (cause instanceof NearcastError) throw cause;
      if (task.refusal) throw task.refusal(cause);
      throw new NearcastError("model_corrupt", "The model failed on a valid input.", { cause });
    }
  }
  deadline.check();
  return results;
}

/** A task whose graph takes one row at a time still answers batches: a run a row. */
export function fitBatchDimension(manifest: Manifest, task: CompiledTask): CompiledTask {
  const sizes = manifest.inputs.map(({ shape }) => shape[0]);
  if (sizes.every((size) => size === -1)) return task;
  if (sizes.some((size) => size !== 1))
    throw new Error("the first dimension of every input must be -1, or 1 in all of them");
  return {
    ...task,
    preprocess: (rows, options) => splitAll(task.preprocess(rows, options)),
  };
}

function splitAll(runs: InParts<readonly Run[]>): InParts<readonly Run[]> {
  if (runs instanceof Promise) return runs.then((made) => made.flatMap(splitRows));
  return "next" in runs ? splitLater(runs) : runs.flatMap(splitRows);
}

function* splitLater(parts: Parts<readonly Run[]>): Parts<readonly Run[]> {
  return (yield* parts).flatMap(splitRows);
}

function splitRows({ feeds, rows, tokens }: Run): Run[] {
  if (rows === 1) return [{ feeds, rows, ...(tokens !== undefined && { tokens }) }];
  return Array.from({ length: rows }, (_, row) => ({
    feeds: Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [name, rowOf(tensor, row)]),
    ),
    rows: 1,
    // The count is of the request: which of its runs carries it is of no matter.
    ...(row === 0 && tokens !== undefined && { tokens }),
  }));
}

function rowOf({ datatype, shape, data }: Tensor, row: number): Tensor {
  const width = elementCount(shape.slice(1));
  return {
    datatype,
    shape: [1, ...shape.slice(1)],
    data: data.slice(row * width, (row + 1) * width),
  };
}
