import type { Feature, Manifest } from "./manifest.ts";

/** The members that a row of a table may have: the features, and the keys by which others are looked up. */
export function rowMembers({
  features = [],
  lookup,
}: Pick<Manifest, "features" | "lookup">): readonly Feature[] {
  if (!lookup) return features;
  const known = new Set(features.map((feature) => feature.name));
  return [
    ...features,
    ...lookup.keys.filter((key) => !known.has(key.name)).map(({ name, type }) => ({ name, type })),
  ];
}
