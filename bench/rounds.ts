import { createRecord, type Record } from "./statistics.ts";

export const ROUNDS = 5;

/** One round over all that is compared, taken in another order in every second one by {@link inTurn}. */
export type Measure = (record: Record, round: number) => Promise<void>;

/** The round before the first warms servers, disk and harness, and is not counted. */
export async function inRounds(measure: Measure): Promise<Record> {
  const record = createRecord();
  for (let round = 0; round <= ROUNDS; round++) {
    console.error(round === 0 ? "warming up" : `round ${round} of ${ROUNDS}`);
    await measure(round === 0 ? createRecord() : record, round);
  }
  return record;
}

/** Backwards in every second round: nothing always comes first, or always after the same. */
export function inTurn<Item>(items: readonly Item[], round: number): Item[] {
  return round % 2 === 0 ? [...items] : items.toReversed();
}
