import type { Turns } from "../load/turns.ts";
import type { Platform } from "../platform/types.ts";
import { VERSION } from "../version.ts";
import { createMetricCounts, type GatheredRecords, type MetricCounts } from "./metric-counts.ts";
import { GAUGES, type Metric } from "./metrics.ts";
import type { Sample } from "./metrics-text.ts";

/** The metrics of a service. */
export interface Metrics extends Pick<
  MetricCounts,
  "call" | "load" | "copy" | "capture" | "job" | "webhook" | "request"
> {
  /** All samples, of all instances where these count together. */
  samples(): Promise<Sample[]>;
  /** The samples of this instance. */
  instanceSamples(): Sample[];
}

interface Measured {
  platform: Platform;
  /** How many models are loaded. */
  sessions: () => number;
  turns: Turns | undefined;
  gathered: GatheredRecords;
  /** What is made of sums over hours and days: drift, and accuracy. */
  longer: readonly (() => Promise<Sample[]>)[];
}

/**
 * Metrics by the table. On Node each server answers for itself. Isolates of a Worker, which nobody can ask one by one,
 * count together.
 */
export function createMetrics({ platform, sessions, turns, gathered, longer }: Measured): Metrics {
  const isTogether = platform.name === "cloudflare";
  const counts = createMetricCounts(isTogether ? platform.counters : undefined, gathered);

  function gauges(): Sample[] {
    const build = sample(GAUGES.build, 1, [VERSION, platform.name]);
    if (isTogether) return [build];
    const usage = platform.usage?.();
    return [
      build,
      sample(GAUGES.sessions, sessions()),
      ...(turns ? [sample(GAUGES.waiting, turns.running.length())] : []),
      ...(usage
        ? [
            sample(GAUGES.cpu, usage.cpuSeconds),
            sample(GAUGES.memory, usage.residentBytes),
            sample(GAUGES.started, usage.startedAtSeconds),
          ]
        : []),
    ];
  }

  return {
    ...counts,
    instanceSamples: () => [...gauges(), ...counts.own()],
    async samples() {
      const all = await Promise.all([counts.series(), ...longer.map((read) => read())]);
      return [...gauges(), ...all.flat()];
    },
  };
}

function sample(metric: Metric, value: number, labels: readonly string[] = []): Sample {
  return { metric, labels, values: [value] };
}
