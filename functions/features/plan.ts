import type { Feature, Manifest } from "../model/manifest.ts";
import type { Lookup } from "../model/feature-lookup.ts";
import type { Limits } from "../model/limits.ts";
import type { Datatype } from "../tensor.ts";
import { problemWith } from "../tasks/tabular/feature.ts";
import type { FeatureValue } from "./source.ts";
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
  /** The names in the source, in the order of `wanted`. */
  names: readonly string[];
  /** What begins the names of its rows in memory. */
  prefix: string;
  problemWith: (value: unknown, feature: Feature) => string | undefined;
}

export function planOf(manifest: Manifest, limits: Limits): Plan {
  const { features = [], lookup } = manifest;
  if (!lookup) throw new Error(`${manifest.name} looks up nothing`);
  const wanted = lookup.features.flatMap(({ name, default: value }) => {
    const feature = features.find((one) => one.name === name);
    return feature ? [{ name, feature, default: value }] : [];
  });
  const names = lookup.features.map(({ name, from = name }) => from);
  const has64 = manifest.inputs.some(({ datatype }) => datatype === "FP64");
  const datatype: Datatype = has64 ? "FP64" : "FP32";
  return {
    lookup,
    wanted,
    names,
    prefix: `${JSON.stringify([lookup.source, names])} `,
    problemWith: (value, feature) => problemWith(value, feature, datatype, limits),
  };
}

/** Why a value of the source is not used. Undefined when it is. */
export function reasonAgainst(
  known: FeatureValue | undefined,
  { maxAgeSeconds }: Lookup,
  now: number,
): Reason | undefined {
  if (known?.isStale) return "stale";
  if (known === undefined || known.value === null || known.value === undefined) return "not_found";
  if (maxAgeSeconds === undefined) return undefined;
  return known.at === undefined || now - known.at > maxAgeSeconds * 1000 ? "stale" : undefined;
}
