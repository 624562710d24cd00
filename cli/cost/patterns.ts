/** A part of the month with an even rate. Requests come by chance, one independent of the other (Poisson). */
export interface Phase {
  /** Hours of the month, of 730. */
  hours: number;
  /** Share of the month's requests. */
  share: number;
  /** How often it begins in a month. */
  begins: number;
}

export interface Pattern {
  about: string;
  /** The phase with the highest rate first. */
  phases: readonly [Phase, ...Phase[]];
}

export const HOURS = 730;

export const PATTERNS = {
  steady: {
    about: "the same rate in all 730 hours of the month",
    phases: [{ hours: HOURS, share: 1, begins: 1 }],
  },
  office: {
    about: "all requests in ten hours of 22 working days, none otherwise",
    phases: [{ hours: 220, share: 1, begins: 22 }],
  },
  bursty: {
    about:
      "half of the requests in a burst of three minutes each hour, the others evenly in between",
    phases: [
      { hours: 36.5, share: 0.5, begins: HOURS },
      { hours: HOURS - 36.5, share: 0.5, begins: 1 },
    ],
  },
} as const satisfies Record<string, Pattern>;

export type PatternName = keyof typeof PATTERNS;

/** No platform publishes these two. They are what is commonly seen. */
export const IDLE_SECONDS = 600;
export const LIFE_HOURS = 2;

/** The highest rate, in multiples of the month's mean. */
export function peakRatio({ phases: [{ hours, share }] }: Pattern): number {
  return share / (hours / HOURS);
}

/** Requests a second in a phase. */
export function rateOf({ hours, share }: Phase, requests: number): number {
  return (requests * share) / (hours * 3600);
}

export interface Served {
  /** Seconds for which a request keeps an instance busy. */
  busySeconds: number;
  /** Seconds for which the first request of an instance does. Requests that come meanwhile need others, if one takes one at a time. */
  coldSeconds: number;
}

/**
 * How many requests of a month are the first of their instance. Instances end when nothing has asked them for
 * {@link IDLE_SECONDS}, and after {@link LIFE_HOURS}. There are as many as a phase's rate keeps busy, and three times the
 * deviation by chance. In a burst's first moments, there are also as many as ask while the first one starts.
 */
export function coldStarts({ phases }: Pattern, requests: number, served: Served): number {
  const calm = phases.length > 1 ? phases.at(-1) : undefined;
  const alive = calm ? instancesAlive(calm, requests, served) : 0;
  const cold = phases.reduce((sum, phase) => {
    const rate = rateOf(phase, requests);
    const each = (requests * phase.share) / phase.begins;
    const wanted = Math.max(instancesAt(rate, served.busySeconds), rate * served.coldSeconds);
    const before = phase === calm ? 0 : alive;
    const atBegin = phase.begins * Math.max(0, Math.min(each, wanted) - before);
    const isLong = (phase.hours * 3600) / phase.begins > IDLE_SECONDS;
    const afterGaps = isLong ? requests * phase.share * Math.exp(-rate * IDLE_SECONDS) : 0;
    const renewed = instancesAlive(phase, requests, served) * (phase.hours / LIFE_HOURS);
    return sum + atBegin + afterGaps + renewed;
  }, 0);
  return Math.min(requests, cold);
}

/**
 * How often a month something is looked at again by the first request after `seconds`, such as a release. Each instance does
 * so for itself.
 */
export function lookAgain(
  { phases }: Pattern,
  requests: number,
  { seconds, served }: { seconds: number; served: Served },
): number {
  return phases.reduce((sum, phase) => {
    const instances = instancesAt(rateOf(phase, requests), served.busySeconds);
    const rate = rateOf(phase, requests) / instances;
    return rate === 0 ? sum : sum + (instances * phase.hours * 3600) / (seconds + 1 / rate);
  }, 0);
}

/** Instances that take one request at a time, for this rate. At least one. */
function instancesAt(rate: number, busySeconds: number): number {
  const busy = rate * busySeconds;
  return Math.max(1, Math.ceil(busy + 3 * Math.sqrt(busy)));
}

/** Instances of a phase, less the time after which an idle one has ended. */
function instancesAlive(phase: Phase, requests: number, { busySeconds }: Served): number {
  const rate = rateOf(phase, requests);
  return instancesAt(rate, busySeconds) * (1 - Math.exp(-rate * IDLE_SECONDS));
}
