import type { Manifest } from "../model/manifest.ts";
import type { RequestContext } from "../http/exchange.ts";

const TIMED = ["success", "queue", "compute_input", "compute_infer", "compute_output"] as const;

/** Which of the path's phases each of Triton's durations is. */
const PHASES = {
  queue: "load",
  compute_input: "preprocess",
  compute_infer: "run",
  compute_output: "postprocess",
} as const;

const STAGES = Object.keys(PHASES) as (keyof typeof PHASES)[];

interface LookUps {
  count: number;
  milliseconds: number;
}

/** Milliseconds by duration, and how often; `fail` has a number and no duration. */
interface Counts {
  manifest: Manifest;
  rows: number;
  runs: number;
  failures: number;
  lastAt: number;
  milliseconds: Record<(typeof TIMED)[number], number>;
  lookUps: Record<"hit" | "miss", LookUps>;
}

/** How often each version ran, in this instance since it started. */
export interface Statistics {
  /**
   * Runs the work and counts it, with the durations its phases have then. As in Triton, an answer that was
   * not computed for this request is a success, and neither an inference nor an execution.
   */
  count<T>(
    manifest: Manifest,
    rows: number,
    context: RequestContext,
    work: () => Promise<T>,
  ): Promise<T>;
  /** One entry a version that ran, in the form of Open Inference Protocol's statistics extension. */
  all(): ReturnType<typeof describe>[];
  of(manifest: Manifest): ReturnType<typeof describe>;
}

export function createStatistics(): Statistics {
  const counts = new Map<string, Counts>();

  function countsOf(manifest: Manifest): Counts {
    return counts.get(keyOf(manifest)) ?? emptyCounts(manifest);
  }

  return {
    async count(manifest, rows, context, work) {
      const { phases } = context;
      const own = countsOf(manifest);
      counts.set(keyOf(manifest), own);
      own.lastAt = Date.now();
      try {
        const result = await work();
        const { cache } = context;
        const lookUp = cache === "collapsed" ? "hit" : cache;
        const lookedFor = phases.durations?.["cache"] ?? 0;
        if (lookUp === "hit" || lookUp === "miss") {
          own.lookUps[lookUp].count += 1;
          own.lookUps[lookUp].milliseconds += lookedFor;
          own.milliseconds.success += lookedFor;
        }
        if (lookUp === "hit") return result;
        own.runs += 1;
        own.rows += rows;
        for (const duration of STAGES) {
          const taken = phases.durations?.[PHASES[duration]] ?? 0;
          own.milliseconds[duration] += taken;
          own.milliseconds.success += taken;
        }
        return result;
      } catch (error) {
        own.failures += 1;
        throw error;
      }
    },
    all: () => [...counts.values()].map(describe),
    of: (manifest) => describe(countsOf(manifest)),
  };
}

function keyOf({ name, version }: Manifest): string {
  return `${name}/${version}`;
}

function emptyCounts(manifest: Manifest): Counts {
  const milliseconds = {
    success: 0,
    queue: 0,
    compute_input: 0,
    compute_infer: 0,
    compute_output: 0,
  };
  const lookUps = { hit: { count: 0, milliseconds: 0 }, miss: { count: 0, milliseconds: 0 } };
  return { manifest, rows: 0, runs: 0, failures: 0, lastAt: 0, milliseconds, lookUps };
}

function describe({ manifest, rows, runs, failures, lastAt, milliseconds, lookUps }: Counts) {
  const timed = (name: (typeof TIMED)[number]) => ({
    count: runs,
    ns: nanoseconds(milliseconds[name]),
  });
  return {
    name: manifest.name,
    version: manifest.version,
    last_inference: lastAt,
    inference_count: rows,
    execution_count: runs,
    inference_stats: {
      success: { ...timed("success"), count: runs + lookUps.hit.count },
      fail: { count: failures, ns: 0 },
      queue: timed("queue"),
      compute_input: timed("compute_input"),
      compute_infer: timed("compute_infer"),
      compute_output: timed("compute_output"),
      cache_hit: lookedUp(lookUps.hit),
      cache_miss: lookedUp(lookUps.miss),
    },
    batch_stats: [],
  };
}

function lookedUp({ count, milliseconds }: LookUps) {
  return { count, ns: nanoseconds(milliseconds) };
}

function nanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1e6);
}
