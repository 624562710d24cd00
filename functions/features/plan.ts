import type { Feature } from "../model/manifest.ts";
import type { Lookup, LookupKey } from "../model/feature-lookup.ts";
import type { ModelVersion } from "../model/registry.ts";
import { datatypesOf } from "../tasks/check-lookup.ts";
import { problemWith } from "../tasks/tabular/feature.ts";
import { isRow, timeAt, unreadableRow, type Found } from "./row.ts";
import type { FeatureRow } from "./source.ts";
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
  /** A row of so many values. To copy it takes a fifth of the memory that a list takes which grows by each. */
  blank: readonly unknown[];
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

const isSaid = (one: unknown) => one !== undefined && one !== null;
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
    // V8 keeps numbers unboxed in a list that began with one.
    blank: features.map(() => NaN),
    sentMembers: sent.size - wanted.length,
    prefix: `${plans} `,
  };
}

/** Whether the ids cannot be too long: the name needs no encoding. */
function isOneInteger([key, ...others]: readonly LookupKey[]): boolean {
  return key?.type === "integer" && others.length === 0 && /^[\w.~-]+$/.test(key.name);
}

/** Checks a row once for all calls that use it. One that is none is as what cannot be read. */
export function entityOf({ wanted, names }: Plan, given: unknown, now: number): Entity {
  const row = isRow(given, names.length) ? given : unreadableRow(names);
  const { values, at, problem } = row;
  if (Array.isArray(problem) ? problem.some(isSaid) : isSaid(problem)) return inPart(row);
  for (let place = 0; place < values.length; place++) {
    const value = values[place];
    if (value === undefined || value === null) return inPart(row);
    if (wanted[place]?.problemWith(value) !== undefined) return inPart(row);
  }
  if (!Array.isArray(at)) {
    const one = timeAt(row, 0);
    if (!canBe(one, now)) return inPart(row);
    return { row, isWhole: true, isDated: one !== undefined, oldestAt: one, isOfOneTime: true };
  }
  const times = values.map((_, place) => timeAt(row, place));
  if (!times.every((time) => canBe(time, now))) return inPart(row);
  const known = times.filter((time) => time !== undefined);
  return {
    row,
    isWhole: true,
    isDated: known.length === times.length,
    oldestAt: known.length > 0 ? Math.min(...known) : undefined,
    isOfOneTime: times.every((time) => time === times[0]),
  };
}

/** An entity whose features are looked at one after the other. */
function inPart(row: FeatureRow): Entity {
  return { row, isWhole: false, isDated: false, oldestAt: undefined, isOfOneTime: false };
}

/** Why a value of the source is not used. Undefined when it is, and for one that cannot be read. */
export function reasonAgainst(
  { value, at, problem }: Found,
  maxAgeSeconds: number,
  now: number,
): Reason | undefined {
  if (problem === "stale") return "stale";
  if (problem !== undefined) return undefined;
  if (value === null || value === undefined) return "not_found";
  if (!canBe(at, now)) return "stale";
  return isTooOld(at, maxAgeSeconds, now) ? "stale" : undefined;
}

/** Whether values can be of this time. A clock may be a minute ahead; what is more would be new for ever. */
export function canBe(at: number | undefined, now: number): boolean {
  return at === undefined || (Number.isFinite(at) && at - now <= AHEAD_MS);
}

export function isTooOld(at: number | undefined, maxAgeSeconds: number, now: number): boolean {
  return maxAgeSeconds !== Infinity && (at === undefined || now - at > maxAgeSeconds * 1000);
}
