import { ageOf } from "../age.ts";

const WINDOW_MS = 10_000;
/** So many failures in a window open the breaker, if they are half of its requests. */
const MOST_FAILURES = 5;
const OPEN_MS = 5000;

/** How a request ended. `unknown`: it says nothing about the region, such as when its client went away. */
export type Outcome = "answered" | "failed" | "unknown";

/** Keeps requests from a region that fails. */
export interface CircuitBreaker {
  /**
   * Begins a request. Undefined while the breaker is open. When it has been open for {@link OPEN_MS}, one request goes
   * through as a probe: its success closes the breaker, its failure keeps it open. The given function ends the request.
   */
  enter(): ((outcome: Outcome) => void) | undefined;
  /** Counts a failure of a request that has ended as answered: its answer did not arrive whole. */
  fail(): void;
}

export function createCircuitBreaker(): CircuitBreaker {
  let window = { from: Date.now(), requests: 0, failures: 0 };
  let openedAt: number | undefined;
  let probing: { from: number } | undefined;

  const isProbing = () => probing !== undefined && ageOf(probing.from) < OPEN_MS;

  function close(): void {
    openedAt = probing = undefined;
    window = { from: Date.now(), requests: 0, failures: 0 };
  }

  function probe(): (outcome: Outcome) => void {
    const own = (probing = { from: Date.now() });
    return (outcome) => {
      const isLast = probing === own;
      if (isLast) probing = undefined;
      // Another probe has closed the breaker.
      if (openedAt === undefined) return;
      // Where answers take longer than a probe is waited for, each probe's place is taken before it ends.
      if (outcome === "answered") close();
      else if (outcome === "failed" && isLast) openedAt = Date.now();
    };
  }

  function count(outcome: Outcome): void {
    if (outcome === "unknown" || openedAt !== undefined) return;
    add(1, outcome === "failed" ? 1 : 0);
  }

  function add(requests: number, failures: number): void {
    if (ageOf(window.from) >= WINDOW_MS) window = { from: Date.now(), requests: 0, failures: 0 };
    window.requests += requests;
    window.failures += failures;
    const isMost = window.failures >= MOST_FAILURES && window.failures * 2 >= window.requests;
    if (isMost) openedAt = Date.now();
  }

  return {
    enter() {
      if (openedAt === undefined) return count;
      // A probe that never ends does not keep the breaker open: workerd drops work of clients that went away.
      return ageOf(openedAt) < OPEN_MS || isProbing() ? undefined : probe();
    },
    fail() {
      if (openedAt === undefined) add(0, 1);
    },
  };
}
