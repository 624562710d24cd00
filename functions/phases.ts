/** Durations of the parts of one request, for `Server-Timing`. */
export interface Phases {
  time<T>(name: string, work: () => T | Promise<T>): Promise<T>;
  /** How long a phase took; 0 where it was not measured. */
  milliseconds(name: string): number;
  /** Milliseconds by phase; undefined where nothing could be measured. */
  all(): Record<string, number> | undefined;
  /** The header's value; undefined where nothing could be measured. */
  serverTiming(): string | undefined;
}

/** Phases by the platform's clock; without a clock the work is only run. */
export function createPhases(now: (() => number) | undefined): Phases {
  if (!now)
    return {
      time: async (_name, work) => work(),
      milliseconds: () => 0,
      all: () => undefined,
      serverTiming: () => undefined,
    };
  const durations = new Map<string, number>();
  return {
    async time(name, work) {
      const start = now();
      const result = await work();
      durations.set(name, now() - start);
      return result;
    },
    milliseconds: (name) => durations.get(name) ?? 0,
    all: () => Object.fromEntries([...durations].map(([name, taken]) => [name, rounded(taken)])),
    serverTiming: () =>
      [...durations].map(([name, taken]) => `${name};dur=${taken.toFixed(3)}`).join(", ") ||
      undefined,
  };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
