import type { Feature } from "../model/manifest.ts";
import type { Lookup, LookupKey } from "../model/feature-lookup.ts";
import type { ModelVersion } from "../model/registry.ts";
import { datatypesOf } from "../tasks/check-lookup.ts";
import { problemWith } from "../tasks/tabular/feature.ts";
import { unreadableRow } from "./record.ts";
import type { FeatureRow, FeatureValue } from "./source.ts";
import type { OfEntity, Reason } from "./status.ts";

/** One feature that is looked up. */
export interface Wanted {
  name: string;
  feature: Feature;
  default: number | boolean | string | undefined;
  /** What keeps the graph from taking a value of it. Undefined when it is right. */
  problemWith: (value: unknown) => string | undefined;
}

/** One feature of the manifest, and its place in {@link Plan.wanted}: -1 where the caller has it. */
export interface Column extends Pick<Wanted, "name" | "problemWith"> {
  place: number;
}

/** A manifest's lookup, ready for its calls. */
export interface Plan {
  lookup: Lookup;
  /** 0 where nothing is kept. */
  cacheSeconds: number;
  wanted: readonly Wanted[];
  wantedList: readonly string[];
  wantedNames: ReadonlySet<string>;
  /** The names in the source, in the order of `wanted`. */
  names: readonly string[];
  /** The only key, where that is an integer. */
  integerKey: string | undefined;
  /** All features in the manifest's order. Undefined for a task that takes no rows by position. */
  columns: readonly Column[] | undefined;
  /** How many members an input has that sends all that is not looked up. */
  sentMembers: number;
  /** What begins the names of its rows in memory. */
  prefix: string;
}

/** What is known of one entity. */
export interface Entity extends OfEntity {
  /** Whether the source has each value, and the graph can take it. */
  isWhole: boolean;
  /** Whether each value has a time. */
  isDated: boolean;
}

const AHEAD_MS = 60_000;
const CACHE_SECONDS = 5;

let plans = 0;

export function planOf({ manifest, limits, compiled }: ModelVersion): Plan {
  const { features = [], lookup } = manifest;
  if (!lookup) throw new Error(`${manifest.name} looks up nothing`);
  const datatypes = datatypesOf(manifest);
  const checkOf = (feature: Feature) => {
    const datatype = datatypes.get(feature.name) ?? "FP32";
    return (value: unknown) => problemWith(value, feature, datatype, limits);
  };
  const wanted = lookup.features.flatMap(({ name, default: value }) => {
    const feature = features.find((one) => one.name === name);
    return feature ? [{ name, feature, default: value, problemWith: checkOf(feature) }] : [];
  });
  const wantedList = wanted.map(({ name }) => name);
  const wantedNames = new Set(wantedList);
  const columns = features.map((feature) => ({
    name: feature.name,
    place: wantedList.indexOf(feature.name),
    problemWith: checkOf(feature),
  }));
  const sent = new Set([...columns, ...lookup.keys].map(({ name }) => name));
  plans += 1;
  return {
    lookup,
    cacheSeconds: lookup.cacheSeconds ?? CACHE_SECONDS,
    wanted,
    wantedList,
    wantedNames,
    names: lookup.features.map(({ name, from = name }) => from),
    integerKey: isOneInteger(lookup.keys) ? lookup.keys[0]?.name : undefined,
    columns: compiled.byPosition ? columns : undefined,
    sentMembers: sent.size - wanted.length,
    prefix: `${plans} `,
  };
}

/** Whether the ids cannot be too long: the name needs no encoding. */
function isOneInteger([key, ...others]: readonly LookupKey[]): boolean {
  return key?.type === "integer" && others.length === 0 && /^[\w.~-]+$/.test(key.name);
}

/** Checks a row once for all calls that use it. One that is none is as what cannot be read. */
export function entityOf({ wanted, names }: Plan, given: unknown): Entity {
  const row = isRow(given, names.length) ? given : unreadableRow(names);
  const now = Date.now();
  const firstAt = row[0]?.at;
  let oldestAt = firstAt;
  let isDated = true;
  let isOfOneTime = true;
  for (let place = 0; place < row.length; place++) {
    const known = row[place];
    const isRight =
      reasonAgainst(known, Infinity, now) === undefined &&
      wanted[place]?.problemWith(known?.value) === undefined;
    if (!isRight)
      return { row, isWhole: false, isDated: false, oldestAt: undefined, isOfOneTime: false };
    const at = known?.at;
    if (at === undefined) isDated = false;
    else oldestAt = Math.min(at, oldestAt ?? at);
    if (at !== firstAt) isOfOneTime = false;
  }
  return { row, isWhole: true, isDated, oldestAt, isOfOneTime };
}

/** A deployment's own source may give anything. */
function isRow(given: unknown, length: number): given is FeatureRow {
  if (!Array.isArray(given) || given.length !== length) return false;
  for (let place = 0; place < length; place++) {
    const known: unknown = given[place];
    if (known !== undefined && (typeof known !== "object" || known === null)) return false;
  }
  return true;
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
