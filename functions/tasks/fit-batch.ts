import type { Manifest } from "../model/manifest.ts";
import { rowsFrom } from "../tensor.ts";
import type { CompiledTask, InParts, Parts, Run } from "./define.ts";

/** Lets a task answer batches when its graph takes only one row: makes one run for each row. */
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
  return runs instanceof Promise ? runs.then(splitMade) : splitMade(runs);
}

function splitMade(runs: readonly Run[] | Parts<readonly Run[]>) {
  return "next" in runs ? splitLater(runs) : runs.flatMap(splitRows);
}

function* splitLater(parts: Parts<readonly Run[]>): Parts<readonly Run[]> {
  return (yield* parts).flatMap(splitRows);
}

function splitRows({ feeds, rows, tokens, pixels, seconds, context }: Run): Run[] {
  // The counts are for the whole request, so any run may carry them.
  const counts = {
    ...(tokens !== undefined && { tokens }),
    ...(pixels !== undefined && { pixels }),
    ...(seconds !== undefined && { seconds }),
  };
  if (rows === 1) return [{ feeds, rows, context, ...counts }];
  return Array.from({ length: rows }, (_, row) => ({
    feeds: Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [name, rowsFrom(tensor, row, 1)]),
    ),
    rows: 1,
    ...(Array.isArray(context) && { context: [context[row] as unknown] }),
    ...(row === 0 && counts),
  }));
}
