import type { Admission } from "./admission.ts";
import type { TransferTurns } from "./transfer-turns.ts";

/** The turns of a request: for its body and its answer, one to prepare its inputs, and one for each of its runs. */
export interface Turns {
  /** Absent where nothing else can arrive meanwhile. */
  transfer: TransferTurns | undefined;
  preparing: Admission;
  running: Admission;
}
