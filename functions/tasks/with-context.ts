import type { Run } from "./define.ts";

/** Runs whose context has an item for each of their rows, in order. */
export function withContext(runs: readonly Run[], items: readonly unknown[]): Run[] {
  let at = 0;
  return runs.map((run) => ({ ...run, context: items.slice(at, (at += run.rows)) }));
}
