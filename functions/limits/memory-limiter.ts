import { LRUCache } from "lru-cache";
import type { Rate } from "./rate.ts";
import type { Limiter, Taken } from "./limiter.ts";

interface Window {
  used: number;
  endsAt: number;
}

interface MemoryLimiter extends Limiter {
  take(key: string, cost: number, rate: Rate): Taken;
  /** Shows what the key has left. Takes nothing. */
  peek(key: string, rate: Rate): Taken;
}

/** With more keys than this, the least recently used one starts again from zero. */
const MAX_KEYS = 20_000;

/**
 * Counts exactly within one process. A key's window begins with its first unit and has a fixed length. Up to twice the
 * limit can pass around the border of two windows. The clock is monotonic, so that setting the time changes nothing.
 */
export function createMemoryLimiter(now: () => number = () => performance.now()): MemoryLimiter {
  const windows = new LRUCache<string, Window>({
    // With `max` it would take all its memory at the start.
    maxSize: MAX_KEYS,
    sizeCalculation: () => 1,
  });

  function windowOf(key: string, { windowSeconds }: Rate): Window {
    const known = windows.get(key);
    return known && now() < known.endsAt
      ? known
      : { used: 0, endsAt: now() + windowSeconds * 1000 };
  }

  function describe(allowed: boolean, { used, endsAt }: Window, { limit }: Rate): Taken {
    return {
      allowed,
      remaining: Math.max(0, limit - used),
      resetSeconds: Math.ceil((endsAt - now()) / 1000),
    };
  }

  return {
    take(key, cost, rate) {
      const window = windowOf(key, rate);
      const allowed = window.used + cost <= rate.limit;
      if (allowed) {
        window.used += cost;
        windows.set(key, window);
      }
      return describe(allowed, window, rate);
    },
    peek: (key, rate) => describe(true, windowOf(key, rate), rate),
  };
}
