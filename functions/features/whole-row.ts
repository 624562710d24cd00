import type { Entity, Plan } from "./plan.ts";

type Given = Readonly<Record<string, unknown>>;

/**
 * A whole input as an array in the manifest's order, which the task reads in half the time. Undefined where the task may
 * have something to say of what the caller gave: it names members, not positions.
 */
export function positionsOf(
  { columns, sentMembers }: Plan,
  given: Given,
  { row }: Entity,
): unknown[] | undefined {
  if (!columns || memberCount(given) !== sentMembers) return undefined;
  const values: unknown[] = [];
  for (const { name, place, problemWith } of columns)
    if (place === -1) {
      const value = given[name];
      if (problemWith(value) !== undefined) return undefined;
      values.push(value);
    } else values.push(row.values[place]);
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
