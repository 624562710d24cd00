import type { AskRows } from "../../functions/batches/answer-rows.ts";
import type { RowsModel } from "../../functions/inputs/csv.ts";

/** A version that answers rows, here or elsewhere. */
export interface Asked {
  name: string;
  version: string;
  model: RowsModel;
  ask: AskRows;
  /** The most rows of one request. */
  rows: number;
  /** How many requests may be under way. */
  atOnce: number;
}
