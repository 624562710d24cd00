import { within } from "../within.ts";
import { startPatience } from "./patience.ts";

const PATIENCE_MS = 250;
/** The first call takes longer: it connects, and on a cold start imports a client. */
const FIRST_PATIENCE_MS = 1500;
const PAUSE_MS = 1000;

/**
 * Does work that needs a shared service. Resolves to undefined when the work failed, took too long or was not tried.
 */
export type Breaker = <T>(work: () => Promise<T>) => Promise<{ value: T } | undefined>;

/**
 * Limits the cost of a shared service that is down or slow. Each call takes 250 ms at most. After a failed call, no
 * call is tried for one second. `onFailure` is called with the reason.
 */
export function createBreaker(onFailure: (error: unknown) => void): Breaker {
  let patienceMs = FIRST_PATIENCE_MS;
  let closedUntil = 0;
  return async function attempt(work) {
    if (performance.now() < closedUntil) return undefined;
    const milliseconds = patienceMs;
    const tooLate = () => {
      throw new Error(`no answer within ${milliseconds} ms`);
    };
    try {
      const value = await within(work(), milliseconds, tooLate, startPatience);
      return { value };
    } catch (error) {
      // Reports only the first of many calls that fail together.
      if (performance.now() >= closedUntil) onFailure(error);
      closedUntil = performance.now() + PAUSE_MS;
      return undefined;
    } finally {
      patienceMs = PATIENCE_MS;
    }
  };
}
