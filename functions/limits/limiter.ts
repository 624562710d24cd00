import type { Rate } from "./rate.ts";

/** A limiter's answer to a take. */
export interface Taken {
  allowed: boolean;
  /** Units the key has left in its window. Absent where the limiter does not know. */
  remaining?: number;
  /** Seconds until the window ends. The whole window where the limiter does not know. */
  resetSeconds: number;
}

/**
 * Counts units by key in windows of time. Never rejects: while its service is out of reach, it counts in this instance.
 */
export interface Limiter {
  /** Takes `cost` units (1 or more) from the key's window. Takes nothing when fewer are left. */
  take(key: string, cost: number, rate: Rate): Taken | Promise<Taken>;
}
