import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkedFile } from "./folder-cache.ts";
import type { ArtifactCache } from "./types.ts";

/** The models that were deployed with the code. */
export interface Packaged {
  /** The version that each of them had then. */
  versions: ReadonlyMap<string, string>;
  /** Artifacts of the package before those of another tier. */
  before(tier: ArtifactCache): ArtifactCache;
}

/** In the folder: the versions by model. The artifacts are beside it, under their sha256. */
export const PACKAGED_VERSIONS = "versions.json";

/**
 * Opens the folder that `nearcast build lambda --with` made. Its files are only a shorter way to the bytes that a
 * release in the store names: each is checked against its digest, and a damaged one is not used.
 */
export function openPackaged(folder: string): Packaged {
  const file = join(folder, PACKAGED_VERSIONS);
  if (!existsSync(file)) return { versions: new Map(), before: (tier) => tier };
  const versions = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  return {
    versions: new Map(Object.entries(versions)),
    before: (tier) => ({
      get: async (sha256, size) =>
        (await checkedFile(join(folder, sha256), { sha256, size })) ?? tier.get(sha256, size),
      put: (sha256, bytes) => tier.put(sha256, bytes),
    }),
  };
}
