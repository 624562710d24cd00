import { isBatched, type Manifest } from "../model/manifest.ts";
import { joinedRows, rowsFrom, type Tensor, type Tensors } from "../tensor.ts";
import { MAX_TOKENS_PER_RUN } from "./check-tensors.ts";
import type { CompiledTask, Run } from "./define.ts";

type Feeds = Pick<Run, "feeds" | "rows">;

/**
 * Splits a run of a client's own tokens as texts would be split: one run of all rows can need gigabytes. A run of
 * another kind of tensors is not split, since its graph may compute rows together.
 */
export function splitRun(
  { manifest, compiled }: { manifest: Manifest; compiled: Pick<CompiledTask, "maxTokens"> },
  run: Feeds,
): Feeds[] {
  const { inputs, outputs } = manifest;
  const shapes = inputs.map(({ name }) => run.feeds[name]?.shape ?? []);
  const [rows = 0] = shapes[0] ?? [];
  const width = Math.max(1, ...shapes.map(([, size = 1]) => size));
  const areRows =
    compiled.maxTokens !== undefined &&
    rows * width > MAX_TOKENS_PER_RUN &&
    [...inputs, ...outputs].every((tensor) => isBatched(manifest, tensor)) &&
    shapes.every(([size]) => size === rows);
  if (!areRows) return [run];
  const step = Math.max(1, Math.floor(MAX_TOKENS_PER_RUN / width));
  return Array.from({ length: Math.ceil(rows / step) }, (_, index) => {
    const from = index * step;
    const count = Math.min(step, rows - from);
    const feeds: Tensors = {};
    for (const name in run.feeds) feeds[name] = rowsFrom(run.feeds[name] as Tensor, from, count);
    return { feeds, rows: count };
  });
}

/** Joins the outputs of a run's parts. */
export function joinOutputs(parts: readonly Tensors[]): Tensors {
  const [first = {}] = parts;
  if (parts.length === 1) return first;
  const joined: Tensors = {};
  for (const name in first) joined[name] = joinedRows(parts.map((part) => part[name] as Tensor));
  return joined;
}
