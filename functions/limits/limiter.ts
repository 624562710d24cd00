import type { Rate } from "./rate.ts";

/** What a limiter says of a request. */
export interface Taken {
  allowed: boolean;
  /** Units the key has left in its window; absent where the limiter does not know. */
  remaining?: number;
  /** Seconds until the window ends; where the limiter does not know, the longest it can be. */
  resetSeconds: number;
}

/** Counts units by key in windows of time. Never rejects: a limiter out of reach counts in this instance. */
export interface Limiter {
  /** Takes `cost` units (1 or more) from what the key has left in its window; nothing when that is less. */
  take(key: string, cost: number, rate: Rate): Taken | Promise<Taken>;
}
