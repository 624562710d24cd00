import type { Feature, Manifest } from "../model/manifest.ts";
import type { Lookup } from "../model/feature-lookup.ts";
import type { Limits } from "../model/limits.ts";
import type { Datatype } from "../tensor.ts";
import { problemWith } from "../tasks/tabular/feature.ts";
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

let plans = 0;

export function planOf(manifest: Manifest, limits: Limits): Plan {
  const { features = [], lookup } = manifest;
  if (!lookup) throw new Error(`${manifest.name} looks up nothing`);
  const wanted = lookup.features.flatMap(({ name, default: value }) => {
    const feature = features.find((one) => one.name === name);
    return feature ? [{ name, feature, default: value }] : [];
  });
  const has64 = manifest.inputs.some(({ datatype }) => datatype === "FP64");
  const datatype: Datatype = has64 ? "FP64" : "FP32";
  plans += 1;
  return {
    lookup,
    wanted,
    wantedNames: new Set(wanted.map(({ name }) => name)),
    names: lookup.features.map(({ name, from = name }) => from),
    prefix: `${plans} `,
    problemWith: (value, feature) => problemWith(value, feature, datatype, limits),
  };
}

/** Checks a row once for all calls that use it. */
export function entityOf({ wanted, problemWith }: Plan, row: FeatureRow): Entity {
  const values: Record<string, unknown> = {};
  let oldestAt: number | undefined = Infinity;
  for (const [place, { name, feature }] of wanted.entries()) {
    const known = row[place];
    const isRight =
      reasonAgainst(known, Infinity, 0) === undefined &&
      problemWith(known?.value, feature) === undefined;
    if (!isRight) return { row, values: undefined, oldestAt: undefined };
    values[name] = known?.value;
    const at = known?.at;
    oldestAt = at === undefined || oldestAt === undefined ? undefined : Math.min(at, oldestAt);
  }
  return { row, values, oldestAt };
}

/** Why a value of the source is not used. Undefined when it is. */
export function reasonAgainst(
  known: FeatureValue | undefined,
  maxAgeSeconds: number,
  now: number,
): Reason | undefined {
  if (known?.isStale) return "stale";
  if (known === undefined || known.value === null || known.value === undefined) return "not_found";
  return isTooOld(known.at, maxAgeSeconds, now) ? "stale" : undefined;
}

export function isTooOld(at: number | undefined, maxAgeSeconds: number, now: number): boolean {
  return maxAgeSeconds !== Infinity && (at === undefined || now - at > maxAgeSeconds * 1000);
}
