import type { CallRecord } from "../call.ts";
import type { Gathered } from "./gather.ts";
import { createRecent } from "./recent.ts";

const TIMED = ["success", "queue", "compute_input", "compute_infer", "compute_output"] as const;

interface LookUps {
  count: number;
  milliseconds: number;
}

/** The version of some counts. */
interface Counted {
  name: string;
  version: string;
}

/** Counts, and milliseconds by duration. Failures have only a count. */
interface Counts extends Counted {
  rows: number;
  runs: number;
  failures: number;
  lastAt: number;
  milliseconds: Record<(typeof TIMED)[number], number>;
  lookUps: Record<"hit" | "miss", LookUps>;
}

/** How many versions keep their counts at least. A process that lives for years meets many more. */
const KNOWN_VERSIONS = 1000;

/**
 * How often each version ran in this instance since its start. The thousand versions that ran last are kept, and
 * perhaps some before them. A forgotten version begins again from zero.
 */
export interface Statistics {
  /** An entry for each version that ran, in the form of the Open Inference Protocol's statistics extension. */
  all(): ReturnType<typeof describe>[];
  of(version: Counted): ReturnType<typeof describe>;
}

/**
 * Counts calls as Triton does. An answer from the cache is a success, but not an inference or execution. Calls that are
 * refused before they run do not count.
 */
export function createStatistics(calls: Gathered<CallRecord>): Statistics {
  const counts = createRecent<Counts>(KNOWN_VERSIONS);
  calls.each(({ model, version, at, rows, executed, error, cache, durations }) => {
    if (!executed || version === undefined) return;
    const counted = { name: model, version };
    let own = counts.get(keyOf(counted));
    if (!own) counts.set(keyOf(counted), (own = emptyCounts(counted)));
    own.lastAt = at;
    if (error) {
      own.failures += 1;
      return;
    }
    const lookUp = cache === "collapsed" ? "hit" : cache;
    if (lookUp === "hit" || lookUp === "miss") {
      const lookedFor = durations?.["cache"] ?? 0;
      own.lookUps[lookUp].count += 1;
      own.lookUps[lookUp].milliseconds += lookedFor;
      own.milliseconds.success += lookedFor;
    }
    if (lookUp === "hit") return;
    own.runs += 1;
    own.rows += rows;
    if (!durations) return;
    // As Triton has them. Names in a loop would take three times as long.
    const { queue = 0, load = 0, preprocess = 0, run = 0, postprocess = 0 } = durations;
    const { milliseconds } = own;
    milliseconds.queue += queue + load;
    milliseconds.compute_input += preprocess;
    milliseconds.compute_infer += run;
    milliseconds.compute_output += postprocess;
    milliseconds.success += queue + load + preprocess + run + postprocess;
  });

  return {
    all() {
      calls.count();
      return [...counts.values()].map(describe);
    },
    of(version) {
      calls.count();
      return describe(counts.get(keyOf(version)) ?? emptyCounts(version));
    },
  };
}

function keyOf({ name, version }: Counted): readonly string[] {
  return [name, version];
}

function emptyCounts({ name, version }: Counted): Counts {
  const milliseconds = {
    success: 0,
    queue: 0,
    compute_input: 0,
    compute_infer: 0,
    compute_output: 0,
  };
  const lookUps = { hit: { count: 0, milliseconds: 0 }, miss: { count: 0, milliseconds: 0 } };
  return { name, version, rows: 0, runs: 0, failures: 0, lastAt: 0, milliseconds, lookUps };
}

function describe({ name, version, rows, runs, failures, lastAt, milliseconds, lookUps }: Counts) {
  const timed = (stage: (typeof TIMED)[number]) => ({
    count: runs,
    ns: nanoseconds(milliseconds[stage]),
  });
  return {
    name,
    version,
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
