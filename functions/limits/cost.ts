import { isBatched, type Manifest } from "../model/manifest.ts";
import type { Run } from "../tasks/define.ts";

/**
 * How many rows the runs have. A run has as many as the largest first dimension of its inputs, where that is
 * the batch.
 */
export function rowsOfRuns(manifest: Manifest, runs: readonly Pick<Run, "feeds">[]): number {
  let rows = 0;
  for (const { feeds } of runs) {
    let largest = 1;
    for (const input of manifest.inputs)
      if (isBatched(manifest, input)) largest = Math.max(largest, feeds[input.name]?.shape[0] ?? 1);
    rows += largest;
  }
  return rows;
}
