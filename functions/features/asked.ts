import { InputIssues } from "../errors.ts";
import { isMissing } from "../tasks/tabular/missing.ts";
import type { PathOf } from "../tasks/define.ts";
import { readEntity } from "./entity.ts";
import type { Plan, Wanted } from "./plan.ts";
import type { EntityKeys } from "./source.ts";

/** An input and the entity whose features it lacks. Absent where it lacks none. */
export interface Asked {
  row: unknown;
  id?: string;
  keys?: EntityKeys;
}

/**
 * Finds whose features each input lacks. A row by position has all of its features. Throws `invalid_input` for keys that
 * are missing or wrong where they are needed.
 */
export function readRows(
  { lookup, wanted }: Plan,
  rows: readonly unknown[],
  pathOf: PathOf,
): Asked[] {
  const issues = new InputIssues();
  const asked = rows.map((row, index): Asked => {
    if (typeof row !== "object" || row === null || Array.isArray(row)) return { row };
    const named = row as Record<string, unknown>;
    if (wanted.every((one) => isGiven(named, one))) return { row };
    return { row, ...readEntity(named, lookup.keys, pathOf(index), issues) };
  });
  issues.check();
  return asked;
}

/** Whether the input has a value of its own, which wins. */
export function isGiven(
  row: Readonly<Record<string, unknown>>,
  { name, feature }: Wanted,
): boolean {
  return Object.hasOwn(row, name) && !isMissing(row[name], feature);
}
