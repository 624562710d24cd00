import type { Add, Counters, Group } from "./counters.ts";

/** Sums that each request adds to. They reach the counters together, when those are read or sent. */
export interface Tally {
  /** Adds to the field at this place. Call `changed` after that. */
  add(place: number, value: number): void;
  changed(): void;
}

/** Makes the sums of a group. Their fields are known before. */
export function createTally(
  counters: Pick<Counters, "addSoon">,
  group: Group,
  fields: readonly string[],
): Tally {
  const values = new Float64Array(fields.length);

  function give(add: Add): void {
    const added = new Map<string, number>();
    for (const [place, field] of fields.entries()) {
      const value = values[place];
      if (value) added.set(field, value);
    }
    values.fill(0);
    if (added.size > 0) add(group, added);
  }

  return {
    add(place, value) {
      values[place] = (values[place] ?? 0) + value;
    },
    changed: () => counters.addSoon(give),
  };
}
