import type { Manifest } from "../model/manifest.ts";
import type { Run } from "../tasks/define.ts";

/**
 * How many rows the runs have. A run has as many as the largest first dimension of its inputs, where that is
 * the batch.
 */
export function rowsOfRuns({ inputs }: Manifest, runs: readonly Pick<Run, "feeds">[]): number {
  let rows = 0;
  for (const { feeds } of runs) {
    let largest = 1;
    for (const { name, shape } of inputs)
      if (shape[0] === -1) largest = Math.max(largest, feeds[name]?.shape[0] ?? 1);
    rows += largest;
  }
  return rows;
}
