import type { CacheStorage } from "@cloudflare/workers-types";
import type { PredictionCache } from "../types.ts";

/** Answers in the data centre's Cache API, which does nothing on `workers.dev` addresses. */
export function createEdgePredictionCache(): PredictionCache {
  const cache = (caches as unknown as CacheStorage).default;
  return {
    async get(key) {
      const found = await cache.match(urlOf(key));
      return found && new Uint8Array(await found.arrayBuffer());
    },
    async put(key, bytes, ttlSeconds) {
      const response = new Response(bytes as BodyInit, {
        headers: { "Cache-Control": `public, max-age=${ttlSeconds}` },
      });
      await cache.put(urlOf(key), response as never);
    },
  };
}

/** Cache keys are URLs; this one is never fetched. */
function urlOf(key: string): string {
  return `https://predictions.nearcast.invalid/${key}`;
}
