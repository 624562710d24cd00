import { InputIssues, NearcastError, type InputIssue } from "../errors.ts";
import type { PathOf } from "../tasks/define.ts";
import { isGiven, type Asked } from "./asked.ts";
import { canBe, isTooOld, reasonAgainst, type Entity, type Plan } from "./plan.ts";
import { foundAt, type Found } from "./row.ts";
import { foundStatus, GIVEN, Statuses, type FeatureStatus, type Reason } from "./status.ts";
import type { LookupTally } from "./tally.ts";
import { mergedOf, positionsOf } from "./whole-row.ts";

const MOST_ISSUES = 100;

/** Inputs with all that the graph needs, and where each looked-up feature is from. */
export interface Completed {
  /** For the task: by position where that saves time. */
  rows: readonly unknown[];
  /** The same as they came, and with the keys. Made when it is asked for. */
  named: () => readonly unknown[];
  statuses: Statuses;
}

interface CompleteOptions {
  pathOf: PathOf;
  tally: LookupTally;
  /** Why entities that are not known could not be read. */
  failed: NearcastError | undefined;
}

/** Puts what is known of the entities into the inputs that lack it. Throws as `LookUp` says. */
export function complete(
  plan: Plan,
  asked: Asked,
  entities: readonly (Entity | undefined)[],
  { pathOf, tally, failed }: CompleteOptions,
): Completed {
  const issues = new InputIssues();
  const invalid: InputIssue[] = [];
  const now = Date.now();
  const { maxAgeSeconds = Infinity } = plan.lookup;
  const statuses = new Statuses(plan.wantedList, now);
  const rows: unknown[] = [];
  for (let index = 0; index < asked.rows.length; index++) {
    const row = asked.rows[index];
    const place = asked.places[index] as number;
    const entity = entities[place];
    if (place === -1) {
      rows.push(row);
      statuses.addGiven();
    } else if (
      entity?.isWhole &&
      asked.lacksAll[index] &&
      !isTooOld(entity.isDated ? entity.oldestAt : undefined, maxAgeSeconds, now)
    ) {
      const given = row as Record<string, unknown>;
      rows.push(positionsOf(plan, given, entity) ?? mergedOf(plan, given, entity));
      statuses.addFound(entity);
    } else rows.push(filledOf(row as Record<string, unknown>, entity, index));
  }
  if (invalid.length > 0) throw unfit(invalid);
  issues.check();
  return { rows, named, statuses };

  function named(): readonly unknown[] {
    return rows.map((row, index) => {
      const given = asked.rows[index];
      const entity = entities[asked.places[index] as number];
      if (row === given || !entity || !Array.isArray(row)) return row;
      return mergedOf(plan, given as Record<string, unknown>, entity);
    });
  }

  /** One feature after the other. */
  function filledOf(given: Record<string, unknown>, entity: Entity | undefined, index: number) {
    const filled = { ...given };
    const own: Record<string, FeatureStatus> = {};
    for (const [place, wanted] of plan.wanted.entries()) {
      const { name } = wanted;
      if (isGiven(given, wanted)) {
        own[name] = GIVEN;
        continue;
      }
      const found = entity && foundAt(entity.row, place);
      const reason = found ? reasonAgainst(found, maxAgeSeconds, now) : "unavailable";
      if (reason === "not_found") tally.misses += 1;
      if (reason === "stale") tally.stale += 1;
      if (reason === undefined) {
        const { value, at } = found as Found;
        const message = problemOf(plan, place, found as Found);
        if (message) invalid.push({ path: `${pathOf(index)}.${name}`, message });
        filled[name] = value;
        own[name] = foundStatus(at, now);
      } else if (wanted.default !== undefined) {
        filled[name] = wanted.default;
        own[name] = { status: "default", reason };
      } else if (reason === "unavailable") throw failed ?? new Error("an entity was not read");
      else if (wanted.feature.missing !== undefined) own[name] = { status: "missing", reason };
      else issues.push({ path: `${pathOf(index)}.${name}`, message: words(reason, found, plan) });
    }
    statuses.add(own);
    return filled;
  }
}

/** What keeps the graph from taking the value, without the value: it may be personal. */
function problemOf(plan: Plan, place: number, found: Found): string | undefined {
  const { source } = plan.lookup;
  const problem =
    found.problem === undefined ? plan.wanted[place]?.problemWith(found.value) : "is not readable";
  return problem && `of ${source} for this ${keyNames(plan)} ${problem}`;
}
/** What the source has wrong is not the caller's mistake. */
function unfit(issues: InputIssue[]): NearcastError {
  const [first] = issues;
  return new NearcastError(
    "features_invalid",
    `The model does not take what a source of features has: ${first?.path} ${first?.message}.`,
    { issues: issues.slice(0, MOST_ISSUES) },
  );
}

function keyNames({ lookup }: Plan): string {
  return lookup.keys.map(({ name }) => name).join(" and ");
}

function words(reason: Reason, found: Found | undefined, plan: Plan): string {
  const { source, maxAgeSeconds } = plan.lookup;
  if (reason === "stale" && !canBe(found?.at, Date.now()))
    return `is known to ${source} only with a time that cannot be: send it`;
  const age = maxAgeSeconds === undefined ? "too long" : `more than ${maxAgeSeconds} s`;
  return reason === "stale"
    ? `is known to ${source} only from ${age} ago: send it`
    : `is not known to ${source} for this ${keyNames(plan)}: send it`;
}
