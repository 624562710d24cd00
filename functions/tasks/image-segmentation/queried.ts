import type { Size } from "../image/fit.ts";
import { gridOf, scaledGrid, type Planes } from "./grids.ts";
import type { Grid } from "./resize.ts";
import type { SegmentMap } from "./segments.ts";

/** What a graph says of one picture: a mask and the scores of labels for each query. */
export interface Queried {
  planes: Planes;
  /** A score for each label, and behind them for nothing, which add up to 1. Query by query. */
  scores: Float64Array;
  /** The size that masks are brought to before anything else. */
  scaled: Size | undefined;
}

/** A map whose numbers are places in `found`: labels by their numbers. */
export interface Found {
  map: SegmentMap;
  found: { label: number; score: number }[];
}

/** The masks of the chosen queries, of all where none are named, in the size that they are first brought to. */
export function gridIn({ planes, scaled }: Queried, chosen?: readonly number[]): Grid {
  const grid = gridOf(planes, chosen);
  return scaled ? scaledGrid(grid, scaled) : grid;
}

/** As transformers writes scores. */
export function rounded(score: number): number {
  return Math.round(score * 1e6) / 1e6;
}
