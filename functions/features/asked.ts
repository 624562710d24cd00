import { InputIssues } from "../errors.ts";
import { isMissing } from "../tasks/tabular/missing.ts";
import type { PathOf } from "../tasks/define.ts";
import { readEntityId } from "./entity.ts";
import type { Plan, Wanted } from "./plan.ts";

/** The inputs of a call, and whose features they lack. Lists instead of an object an input: there may be thousands. */
export interface Asked {
  rows: readonly unknown[];
  /** For each input the place of its entity in `ids`. -1 where it lacks no feature. */
  places: readonly number[];
  /** For each input, whether it has none of the looked-up features, not even null. */
  lacksAll: readonly boolean[];
  /** Each entity once. The id is the key itself where that is one integer. */
  ids: readonly (string | number)[];
  /** For each entity, an input with its keys. */
  samples: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Finds whose features each input lacks. A row by position has all of its features. Throws `invalid_input` for keys that
 * are missing or wrong where they are needed.
 */
export function readRows(plan: Plan, rows: readonly unknown[], pathOf: PathOf): Asked {
  const issues = new InputIssues();
  const places: number[] = [];
  const lacksAll: boolean[] = [];
  const ids: (string | number)[] = [];
  const samples: Readonly<Record<string, unknown>>[] = [];
  const known = rows.length > 1 ? new Map<string | number, number>() : undefined;
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index];
    let place = -1;
    let lacks = false;
    if (typeof row === "object" && row !== null && !Array.isArray(row)) {
      const named = row as Record<string, unknown>;
      lacks = !hasAny(named, plan.wantedNames);
      const id =
        lacks || !plan.wanted.every((one) => isGiven(named, one))
          ? idOf(plan, named, index, pathOf, issues)
          : undefined;
      if (id !== undefined) {
        place = known?.get(id) ?? ids.length;
        if (place === ids.length) {
          ids.push(id);
          samples.push(named);
          known?.set(id, place);
        }
      }
    }
    places.push(place);
    lacksAll.push(lacks);
  }
  issues.check();
  return { rows, places, lacksAll, ids, samples };
}

/** The entity's id. One integer needs no text. */
function idOf(
  { lookup, integerKey }: Plan,
  row: Readonly<Record<string, unknown>>,
  index: number,
  pathOf: PathOf,
  issues: InputIssues,
): string | number | undefined {
  const only = integerKey === undefined ? undefined : row[integerKey];
  if (Number.isSafeInteger(only)) return only as number;
  return readEntityId(row, lookup.keys, pathOf(index), issues);
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
