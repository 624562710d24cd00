import type { Limits } from "../model/limits.ts";
import type { Manifest } from "../model/manifest.ts";
import { problemWith } from "./tabular/feature.ts";

/** Throws an Error for a `lookup` that does not fit the manifest's features. */
export function checkLookup({ lookup, features = [], task }: Manifest, limits: Limits): void {
  if (!lookup) return;
  if (features.length === 0) throw wrong(`task ${task} needs features`);
  const names = [...lookup.keys, ...lookup.features].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrong(`${twice} is there twice`);
  for (const { name, default: value } of lookup.features) {
    const feature = features.find((one) => one.name === name);
    if (!feature) throw wrong(`${name} is not a feature of this model`);
    const problem = value !== undefined && problemWith(value, feature, "FP64", limits);
    if (problem) throw wrong(`the default of ${name} ${problem}`);
  }
  for (const { name, type } of lookup.keys) {
    const feature = features.find((one) => one.name === name);
    if (feature && feature.type !== type)
      throw wrong(`the key ${name} is the feature ${name}, which is a ${feature.type}`);
  }
}

function wrong(message: string): Error {
  return new Error(`lookup: ${message}`);
}
