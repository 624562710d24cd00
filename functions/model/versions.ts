import { NAME_PATTERN } from "./name.ts";
import type { Store } from "./store.ts";

/**
 * The versions in a store by model, or only those of `name`. Sorted, with `10` after `9`. A version without a manifest
 * does not count: `push` writes the manifest last.
 */
export async function storedVersions(
  store: Pick<Store, "list">,
  name?: string,
): Promise<Map<string, string[]>> {
  // In a folder, `../..` would list everything below it.
  if (name !== undefined && !NAME_PATTERN.test(name)) return new Map();
  const found = new Map<string, string[]>();
  for (const key of sortVersions(await store.list(name === undefined ? "" : `${name}/`))) {
    const [, model, version] = /^([^/]+)\/([^/]+)\/model\.json$/.exec(key) ?? [];
    if (model && version) found.set(model, [...(found.get(model) ?? []), version]);
  }
  return found;
}

/** Sorts names of versions, or keys with them. */
export function sortVersions(versions: readonly string[]): string[] {
  return versions.toSorted(new Intl.Collator("en", { numeric: true }).compare);
}
