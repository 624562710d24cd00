import { createRecord, type Record } from "./statistics.ts";

export const ROUNDS = 5;

/** One round over all programs. {@link inTurn} reverses the order in every second round. */
export type Measure = (record: Record, round: number) => Promise<void>;

/** A round before the first one warms servers, disk and harness. It does not count. */
export async function inRounds(measure: Measure, rounds = ROUNDS): Promise<Record> {
  const record = createRecord();
  for (let round = 0; round <= rounds; round++) {
    console.error(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    await measure(round === 0 ? createRecord() : record, round);
  }
  return record;
}

/** Reverses every second round, so that nothing always comes first or after the same program. */
export function inTurn<Item>(items: readonly Item[], round: number): Item[] {
  return round % 2 === 0 ? [...items] : items.toReversed();
}
