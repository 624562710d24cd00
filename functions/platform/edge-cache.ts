import type { CacheStorage } from "@cloudflare/workers-types";
import type { ArtifactCache, Platform, PredictionCache } from "./types.ts";

/** Artifacts in the data centre's Cache API. They are stored after the answer was sent. */
export function createEdgeArtifactCache(waitUntil: Platform["waitUntil"]): ArtifactCache {
  const cache = openCache("artifacts");
  return {
    async get(sha256, size) {
      const bytes = await cache.get(sha256).catch(() => undefined);
      return bytes?.byteLength === size ? { bytes } : undefined;
    },
    async put(sha256, bytes) {
      const kept = cache.put(sha256, bytes, "public, max-age=31536000, immutable");
      waitUntil(kept.catch(() => undefined));
      return { bytes };
    },
  };
}

/** Answers in the data centre's Cache API, which does nothing on `workers.dev` addresses. */
export function createEdgePredictionCache(): PredictionCache {
  const cache = openCache("predictions");
  return {
    get: (key) => cache.get(key),
    put: (key, bytes, ttlSeconds) => cache.put(key, bytes, `public, max-age=${ttlSeconds}`),
  };
}

function openCache(kind: "artifacts" | "predictions") {
  const cache = (caches as unknown as CacheStorage).default;
  /** Cache keys are URLs. These are never fetched. */
  const urlOf = (key: string) => `https://${kind}.nearcast.invalid/${key}`;
  return {
    async get(key: string): Promise<Uint8Array | undefined> {
      const found = await cache.match(urlOf(key));
      return found && new Uint8Array(await found.arrayBuffer());
    },
    async put(key: string, bytes: Uint8Array, cacheControl: string): Promise<void> {
      const headers = { "Cache-Control": cacheControl };
      await cache.put(urlOf(key), new Response(bytes as BodyInit, { headers }) as never);
    },
  };
}
