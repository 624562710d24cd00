import type { Feature, Manifest } from "../api.ts";

/** A member of a tabular input. */
export interface FeatureField extends Feature {
  /** Whether it says whose features are looked up. A key may be a feature too. */
  isKey: boolean;
  /** Whether the service looks it up where it is absent. */
  isLookedUp: boolean;
}

/** The members of an input: keys first, since they may be all that is needed. */
export function fieldsOf({
  features = [],
  lookup,
}: Pick<Manifest, "features" | "lookup">): FeatureField[] {
  const { keys = [], features: found = [] } = lookup ?? {};
  const isKey = (name: string) => keys.some((key) => key.name === name);
  return [
    ...keys.map((key) => ({ ...(features.find(({ name }) => name === key.name) ?? key), isKey: true, isLookedUp: false })), // oxfmt-ignore
    ...features
      .filter(({ name }) => !isKey(name))
      .map((feature) => ({
        ...feature,
        isKey: false,
        isLookedUp: found.some(({ name }) => name === feature.name),
      })),
  ];
}
