/** Milliseconds by phase, in microsecond steps. */
export type Durations = Readonly<Record<string, number>>;

/** Durations of the parts of one request, for `Server-Timing`. */
export interface Phases {
  time<T>(name: string, work: () => T | Promise<T>): Promise<T>;
  /** How long each phase took; undefined where nothing can be measured. */
  durations: Durations | undefined;
}

const UNTIMED: Phases = { time: async (_name, work) => work(), durations: undefined };

/** Phases by the platform's clock; without a clock the work is only run. */
export function createPhases(now: (() => number) | undefined): Phases {
  if (!now) return UNTIMED;
  const durations: Record<string, number> = {};
  return {
    durations,
    async time(name, work) {
      const start = now();
      const result = await work();
      durations[name] = microsecondSteps(now() - start);
      return result;
    },
  };
}

/** The value of the header `Server-Timing`; undefined where nothing could be measured. */
export function serverTiming({ durations }: Phases): string | undefined {
  let value = "";
  for (const name in durations)
    value += `${value === "" ? "" : ", "}${name};dur=${durations[name]}`;
  return value === "" ? undefined : value;
}

/** Milliseconds without the digits that nobody reads. */
export function microsecondSteps(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
