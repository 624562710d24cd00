import type { Config } from "../config.ts";
import { createMemoryCache } from "./cache/memory.ts";
import { createRedisCache } from "./cache/redis.ts";
import { withoutFailures } from "./cache/without-failures.ts";
import { createGatheredCounters } from "./counters/gathered.ts";
import { createRedisCounters } from "./counters/redis.ts";
import { createRedisLimiter } from "./limiter/redis.ts";
import { withFallback } from "./limiter/with-fallback.ts";
import { logLine } from "./log.ts";
import { createRedisNotes } from "./notes/redis.ts";
import { openRedis } from "./redis.ts";
import { sha256 } from "./sha256.ts";
import type { Limiter } from "../limits/limiter.ts";
import type { Counters } from "../observe/counters.ts";
import { createSharedNotes, type Notes } from "../observe/feedback/notes.ts";
import type { PredictionCache, Schedule } from "./types.ts";

/**
 * The services that Redis gives all instances, where `REDIS_URL` is set. Without it, this process keeps answers itself.
 */
export function openRedisServices(
  { redisUrl, predictionCache }: Config,
  schedule: Schedule,
): {
  limiter?: Limiter;
  counters?: Counters;
  notes?: Notes;
  predictionCache: PredictionCache;
} {
  if (!redisUrl) return { predictionCache: createMemoryCache(predictionCache.bytes) };
  const redis = openRedis(redisUrl);
  return {
    limiter: withFallback(createRedisLimiter(redis), logLine),
    counters: createGatheredCounters(createRedisCounters(redis), { log: logLine, schedule }),
    notes: createSharedNotes(createRedisNotes(redis), sha256),
    predictionCache: withoutFailures(createRedisCache(redis), logLine),
  };
}
