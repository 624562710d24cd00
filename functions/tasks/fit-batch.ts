import type { Manifest } from "../model/manifest.ts";
import { elementCount, type Tensor } from "../tensor.ts";
import type { CompiledTask, InParts, Parts, Run } from "./define.ts";

/** Lets a task whose graph takes one row at a time answer batches: with one run for each row. */
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
    // The count is for the whole request: it does not matter which run carries it.
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
