/** Milliseconds by phase, in microsecond steps. */
export type Durations = Readonly<Record<string, number>>;

/** Durations of the parts of one request, for `Server-Timing`. */
export interface Phases {
  /** Does the work, measures it, and returns its result. A promise is measured until it is fulfilled. */
  time<T>(name: string, work: () => T): T;
  /** The total time of each phase. Undefined where nothing can be measured. */
  durations: Durations | undefined;
}

/** Does the work within a span of this name. A promise is in it until it settles. */
export type InSpan = <T>(name: string, work: () => T) => T;

/** Spans of the request that is being answered. Undefined where nobody traces it. */
export type Spans = () => InSpan | undefined;

const UNTIMED: Phases = { time: (_name, work) => work(), durations: undefined };

/**
 * Measures phases with the platform's clock. Reading the request is the first phase. Without a clock, they are spans of
 * the platform's own tracing. Where nothing is traced, it only does the work.
 */
export function createPhases(
  now: (() => number) | undefined,
  readMs?: number,
  spans?: Spans,
): Phases {
  if (now) return new TimedPhases(now, readMs);
  const inSpan = spans?.();
  return inSpan ? { time: inSpan, durations: undefined } : UNTIMED;
}

class TimedPhases implements Phases {
  readonly durations: Record<string, number> = {};
  readonly #now: () => number;

  constructor(now: () => number, readMs: number | undefined) {
    this.#now = now;
    if (readMs !== undefined) this.durations["read"] = microsecondSteps(readMs);
  }

  time<T>(name: string, work: () => T): T {
    const start = this.#now();
    const result = work();
    if (result instanceof Promise) return this.#settled(name, start, result) as T;
    this.#note(name, start);
    return result;
  }

  async #settled<T>(name: string, start: number, work: Promise<T>): Promise<T> {
    const result = await work;
    this.#note(name, start);
    return result;
  }

  #note(name: string, start: number): void {
    this.durations[name] = microsecondSteps((this.durations[name] ?? 0) + this.#now() - start);
  }
}

/** The value of the header `Server-Timing`. Undefined where nothing could be measured. */
export function serverTiming(durations: Durations | undefined): string | undefined {
  let value = "";
  for (const name in durations)
    value += `${value === "" ? "" : ", "}${name};dur=${durations[name]}`;
  return value === "" ? undefined : value;
}

/** Rounds milliseconds to the digits that matter. */
export function microsecondSteps(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
