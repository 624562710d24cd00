import { InputIssues } from "../errors.ts";
import { isMissing } from "../tasks/tabular/missing.ts";
import type { PathOf } from "../tasks/define.ts";
import { readEntityId } from "./entity.ts";
import type { Entity, Plan, Wanted } from "./plan.ts";

/** An input and the entity whose features it lacks. */
export interface Asked {
  row: unknown;
  /** Absent where it lacks none. */
  id: string | undefined;
  /** Whether it has none of them, not even null. */
  lacksAll: boolean;
  /** What is known of the entity. Absent until it was read. */
  entity: Entity | undefined;
}

/**
 * Finds whose features each input lacks. A row by position has all of its features. Throws `invalid_input` for keys that
 * are missing or wrong where they are needed.
 */
export function readRows(plan: Plan, rows: readonly unknown[], pathOf: PathOf): Asked[] {
  const issues = new InputIssues();
  const { lookup, wanted, wantedNames } = plan;
  const asked: Asked[] = [];
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index];
    let [id, lacksAll]: [string | undefined, boolean] = [undefined, false];
    if (typeof row === "object" && row !== null && !Array.isArray(row)) {
      const named = row as Record<string, unknown>;
      lacksAll = !hasAny(named, wantedNames);
      if (lacksAll || !wanted.every((one) => isGiven(named, one)))
        id = readEntityId(named, lookup.keys, pathOf(index), issues);
    }
    asked.push({ row, id, lacksAll, entity: undefined });
  }
  issues.check();
  return asked;
}

function hasAny(row: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): boolean {
  for (const name in row) if (names.has(name)) return true;
  return false;
}

/** Whether the input has a value of its own, which wins. */
export function isGiven(
  row: Readonly<Record<string, unknown>>,
  { name, feature }: Wanted,
): boolean {
  return Object.hasOwn(row, name) && !isMissing(row[name], feature);
}
