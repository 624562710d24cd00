import type { Limits } from "../model/limits.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Datatype } from "../tensor.ts";
import { problemWith } from "./tabular/feature.ts";
import { layoutOf } from "./tabular/layout.ts";

/** Throws an Error for a `lookup` that does not fit the manifest's features. */
export function checkLookup(manifest: Manifest, limits: Limits): void {
  const { lookup, features = [], task } = manifest;
  if (!lookup) return;
  if (features.length === 0) throw wrong(`task ${task} needs features`);
  const names = [...lookup.keys, ...lookup.features].map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrong(`${twice} is there twice`);
  const datatypes = datatypesOf(manifest);
  for (const { name, default: value } of lookup.features) {
    const feature = features.find((one) => one.name === name);
    if (!feature) throw wrong(`${name} is not a feature of this model`);
    const datatype = datatypes.get(name) ?? "FP32";
    const problem = value !== undefined && problemWith(value, feature, datatype, limits);
    if (problem) throw wrong(`the default of ${name} ${problem}`);
  }
  for (const { name, type } of lookup.keys) {
    const feature = features.find((one) => one.name === name);
    if (feature && feature.type !== type)
      throw wrong(`the key ${name} is the feature ${name}, which is a ${feature.type}`);
  }
}

/** What the graph takes each feature as, by the feature's name. */
export function datatypesOf(manifest: Manifest): ReadonlyMap<string, Datatype> {
  const { features = [] } = manifest;
  return new Map(
    layoutOf(manifest).flatMap(({ input, columns }) =>
      columns.flatMap((column) => {
        const feature = features[column];
        return feature ? [[feature.name, input.datatype] as const] : [];
      }),
    ),
  );
}

function wrong(message: string): Error {
  return new Error(`lookup: ${message}`);
}
