import type { Platform } from "../platform/types.ts";
import type { FeatureSource } from "./source.ts";

/**
 * The sources of a service: its own ones, and those that the platform opens, each when it is first asked. Throws an Error
 * for two of the same name.
 */
export function createSources(
  platform: Pick<Platform, "openFeatures">,
  added: readonly FeatureSource[] = [],
): (name: string) => FeatureSource | undefined {
  const known = new Map<string, FeatureSource | undefined>();
  for (const source of added) {
    if (known.has(source.name))
      throw new Error(`There are two sources of features named ${source.name}.`);
    known.set(source.name, source);
  }
  return (name) => {
    if (!known.has(name)) known.set(name, platform.openFeatures?.(name));
    return known.get(name);
  };
}
