/** Durations of the parts of one request, for `Server-Timing`. */
export interface Phases {
  time<T>(name: string, work: () => T | Promise<T>): Promise<T>;
  /** The header's value; undefined where nothing could be measured. */
  serverTiming(): string | undefined;
}

/** Phases by the platform's clock; without a clock the work is only run. */
export function createPhases(now: (() => number) | undefined): Phases {
  if (!now) return { time: async (_name, work) => work(), serverTiming: () => undefined };
  const durations: string[] = [];
  return {
    async time(name, work) {
      const start = now();
      const result = await work();
      durations.push(`${name};dur=${(now() - start).toFixed(3)}`);
      return result;
    },
    serverTiming: () => (durations.length > 0 ? durations.join(", ") : undefined),
  };
}
