import { digest } from "../digest.ts";
import type { ArtifactCache } from "./types.ts";

/** A version in a Worker's own modules: its `model.json`, and the bytes of its artifact. */
export interface PackagedModel {
  manifest: { name: string; version: string; artifact: { sha256: string } };
  artifact: ArrayBuffer;
}

/**
 * Artifacts of the Worker before those of another tier. They are only a shorter way to the bytes that a release in the
 * store names: each is checked against its digest, and a damaged one is not used.
 */
export function withPackaged(
  packaged: readonly PackagedModel[],
  tier: ArtifactCache,
): ArtifactCache {
  return {
    async get(sha256, size) {
      const found = packaged.find(({ manifest }) => manifest.artifact.sha256 === sha256);
      const bytes = found && new Uint8Array(found.artifact);
      return bytes && (await digest(bytes)) === sha256 ? { bytes } : tier.get(sha256, size);
    },
    put: (sha256, bytes) => tier.put(sha256, bytes),
  };
}
