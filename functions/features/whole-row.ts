import type { Column, Entity, Plan } from "./plan.ts";

type Given = Readonly<Record<string, unknown>>;

/**
 * A whole input as an array in the manifest's order, which the task reads in half the time. Undefined where the task may
 * have something to say of what the caller gave: it names members, not positions.
 */
export function positionsOf(
  { columns, blank, sentMembers }: Plan,
  given: Given,
  { row }: Entity,
): unknown[] | undefined {
  if (!columns || memberCount(given) !== sentMembers) return undefined;
  const values = blank.slice();
  for (let column = 0; column < columns.length; column++) {
    const { name, place, problemWith } = columns[column] as Column;
    if (place !== -1) values[column] = row.values[place];
    else if (problemWith((values[column] = given[name])) !== undefined) return undefined;
  }
  return values;
}

/** The input with what its entity has. */
export function mergedOf({ wanted }: Plan, given: Given, { row }: Entity): Given {
  const merged: Record<string, unknown> = { ...given };
  for (let place = 0; place < wanted.length; place++)
    merged[(wanted[place] as Plan["wanted"][number]).name] = row.values[place];
  return merged;
}

function memberCount(given: Given): number {
  let count = 0;
  for (const _ in given) count++;
  return count;
}
