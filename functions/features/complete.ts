import { InputIssues, NearcastError } from "../errors.ts";
import type { PathOf } from "../tasks/define.ts";
import { isGiven, type Asked } from "./asked.ts";
import { reasonAgainst, type Plan, type Wanted } from "./plan.ts";
import type { FeatureRow, FeatureValue } from "./source.ts";
import { GIVEN, type FeatureStatus, type FeatureStatuses, type Reason } from "./status.ts";

/** Inputs with all that the graph needs, and where each looked-up feature is from. */
export interface Completed {
  rows: readonly unknown[];
  features: readonly FeatureStatuses[];
}

/**
 * Puts what is known of the entities into the inputs that lack it. Throws as `LookUp` says. `failed` is why nothing is
 * known of the entities that are not in `known`.
 */
export function complete(
  plan: Plan,
  asked: readonly Asked[],
  known: ReadonlyMap<string, FeatureRow>,
  pathOf: PathOf,
  failed?: NearcastError,
): Completed {
  const issues = new InputIssues();
  const now = Date.now();
  const rows: unknown[] = [];
  const features: FeatureStatuses[] = [];
  const allGiven = Object.fromEntries(plan.wanted.map(({ name }) => [name, GIVEN]));
  for (const [index, { row, id }] of asked.entries()) {
    if (id === undefined) {
      rows.push(row);
      features.push(allGiven);
      continue;
    }
    const given = row as Record<string, unknown>;
    const own = known.get(id);
    const filled = { ...given };
    const statuses: Record<string, FeatureStatus> = {};
    for (const [place, wanted] of plan.wanted.entries()) {
      const { name } = wanted;
      if (isGiven(given, wanted)) {
        statuses[name] = GIVEN;
        continue;
      }
      const found = own?.[place];
      const reason = own ? reasonAgainst(found, plan.lookup, now) : "unavailable";
      if (reason === undefined) {
        filled[name] = checked(plan, wanted, found as FeatureValue);
        statuses[name] = foundStatus(found as FeatureValue, now);
      } else if (wanted.default !== undefined) {
        filled[name] = wanted.default;
        statuses[name] = { status: "default", reason };
      } else if (reason === "unavailable") throw failed ?? new Error("a row was not read");
      else if (wanted.feature.missing !== undefined) statuses[name] = { status: "missing", reason };
      else issues.push({ path: `${pathOf(index)}.${name}`, message: words(reason, plan) });
    }
    rows.push(filled);
    features.push(statuses);
  }
  issues.check();
  return { rows, features };
}

function foundStatus({ at }: FeatureValue, now: number): FeatureStatus {
  if (at === undefined) return { status: "found" };
  return { status: "found", ageSeconds: Math.max(0, Math.round(now - at) / 1000) };
}

/** The value, when the graph can take it. What the source has wrong is not the caller's mistake. */
function checked({ lookup, problemWith }: Plan, wanted: Wanted, { value }: FeatureValue): unknown {
  const problem = problemWith(value, wanted.feature);
  if (problem === undefined) return value;
  throw new NearcastError(
    "features_invalid",
    `The source of features ${lookup.source} has a value of ${wanted.name} that the model does not take: it ${problem}.`,
  );
}

function words(reason: Reason, { lookup }: Plan): string {
  const { source, maxAgeSeconds } = lookup;
  const keys = lookup.keys.map(({ name }) => name).join(" and ");
  const age = maxAgeSeconds === undefined ? "too long" : `more than ${maxAgeSeconds} s`;
  return reason === "stale"
    ? `is known to ${source} only from ${age} ago: send it`
    : `is not known to ${source} for this ${keys}: send it`;
}
