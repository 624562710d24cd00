import type { Feature, Manifest } from "../model/manifest.ts";
import type { Lookup } from "../model/feature-lookup.ts";
import type { Limits } from "../model/limits.ts";
import { datatypesOf } from "../tasks/check-lookup.ts";
import { problemWith } from "../tasks/tabular/feature.ts";
import { unreadableRow } from "./record.ts";
import type { FeatureRow, FeatureValue } from "./source.ts";
import type { Reason } from "./status.ts";

/** One feature that is looked up. */
export interface Wanted {
  name: string;
  feature: Feature;
  default: number | boolean | string | undefined;
}

/** A manifest's lookup, ready for its calls. */
export interface Plan {
  lookup: Lookup;
  wanted: readonly Wanted[];
  wantedNames: ReadonlySet<string>;
  /** The names in the source, in the order of `wanted`. */
  names: readonly string[];
  /** What begins the names of its rows in memory. */
  prefix: string;
  problemWith: (value: unknown, feature: Feature) => string | undefined;
}

/** What is known of one entity. */
export interface Entity {
  row: FeatureRow;
  /** All values, where the source has each and the graph can take it. */
  values: Readonly<Record<string, unknown>> | undefined;
  /** The time of the oldest value. Undefined where a value has none. */
  oldestAt: number | undefined;
}

const AHEAD_MS = 60_000;

let plans = 0;

export function planOf(manifest: Manifest, limits: Limits): Plan {
  const { features = [], lookup } = manifest;
  if (!lookup) throw new Error(`${manifest.name} looks up nothing`);
  const wanted = lookup.features.flatMap(({ name, default: value }) => {
    const feature = features.find((one) => one.name === name);
    return feature ? [{ name, feature, default: value }] : [];
  });
  const datatypes = datatypesOf(manifest);
  plans += 1;
  return {
    lookup,
    wanted,
    wantedNames: new Set(wanted.map(({ name }) => name)),
    names: lookup.features.map(({ name, from = name }) => from),
    prefix: `${plans} `,
    problemWith: (value, feature) =>
      problemWith(value, feature, datatypes.get(feature.name) ?? "FP32", limits),
  };
}

/** Checks a row once for all calls that use it. One that is none is as what cannot be read. */
export function entityOf({ wanted, names, problemWith }: Plan, given: unknown): Entity {
  const row = isRow(given, names.length) ? given : unreadableRow(names);
  const now = Date.now();
  const values: Record<string, unknown> = {};
  let oldestAt: number | undefined = Infinity;
  for (const [place, { name, feature }] of wanted.entries()) {
    const known = row[place];
    const isRight =
      reasonAgainst(known, Infinity, now) === undefined &&
      problemWith(known?.value, feature) === undefined;
    if (!isRight) return { row, values: undefined, oldestAt: undefined };
    values[name] = known?.value;
    const at = known?.at;
    oldestAt = at === undefined || oldestAt === undefined ? undefined : Math.min(at, oldestAt);
  }
  return { row, values, oldestAt };
}

/** A deployment's own source may give anything. */
function isRow(given: unknown, length: number): given is FeatureRow {
  return (
    Array.isArray(given) &&
    given.length === length &&
    given.every((known) => known === undefined || (typeof known === "object" && known !== null))
  );
}

/** Why a value of the source is not used. Undefined when it is. */
export function reasonAgainst(
  known: FeatureValue | undefined,
  maxAgeSeconds: number,
  now: number,
): Reason | undefined {
  if (known?.isUnreadable) return undefined;
  if (known?.isStale) return "stale";
  if (known === undefined || known.value === null || known.value === undefined) return "not_found";
  if (!canBe(known.at, now)) return "stale";
  return isTooOld(known.at, maxAgeSeconds, now) ? "stale" : undefined;
}

/** Whether values can be of this time. A clock may be a minute ahead; what is more would be new for ever. */
export function canBe(at: number | undefined, now: number): boolean {
  return at === undefined || (Number.isFinite(at) && at - now <= AHEAD_MS);
}

export function isTooOld(at: number | undefined, maxAgeSeconds: number, now: number): boolean {
  return maxAgeSeconds !== Infinity && (at === undefined || now - at > maxAgeSeconds * 1000);
}
