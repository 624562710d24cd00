import { createSingleFlight } from "../model/single-flight.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Platform } from "../platform/types.ts";
import type { CallOptions } from "../call.ts";
import type { Recording } from "../observe/recording.ts";
import type { Run } from "../tasks/define.ts";
import type { Tensors } from "../tensor.ts";
import { readEntry, writeEntry } from "./entry.ts";
import { keyOf } from "./key.ts";

type Feeds = Pick<Run, "feeds">;

export interface CachedCall {
  manifest: Manifest;
  outputNames: readonly string[];
  /** Whether a run is more than one run of the graph. */
  isInSteps: boolean;
  runs: readonly Feeds[];
  ttlSeconds: number;
  /** Whether the call may use kept answers, and may keep its own. */
  directive: CallOptions["cache"];
  recording: Pick<Recording, "cache" | "phases">;
  /** Computes those runs that have no kept outputs, in order. */
  compute: (runs: readonly Feeds[]) => Promise<Tensors[]>;
}

export interface CachedRuns {
  /** How long the model's outputs are kept, in seconds. 0: not at all. */
  ttlSeconds(manifest: Manifest): number;
  /**
   * The outputs of each run, in order. They are kept ones, or new ones that are then kept. Rejects as `compute` does.
   */
  outputs(call: CachedCall): Promise<Tensors[]>;
}

/** How long a request waits for another one that computes the same. After that it computes itself. */
const PATIENCE_MS = 10_000;
/** Larger outputs are not kept: moving them takes longer than most models run. */
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

/** Keeps answers for requests with the same inputs for the same artifact, whoever sends them. */
export function createCachedRuns({ predictionCache, config, waitUntil }: Platform): CachedRuns {
  const share = createSingleFlight({ waitUntil, patienceMs: PATIENCE_MS });

  async function lookUp(key: string): Promise<Tensors | undefined> {
    const entry = await predictionCache.get(key);
    return entry && readEntry(entry);
  }

  async function keep(key: string, outputs: Tensors, ttlSeconds: number): Promise<void> {
    const entry = await writeEntry(outputs);
    if (entry.byteLength <= MAX_ENTRY_BYTES) await predictionCache.put(key, entry, ttlSeconds);
  }

  /** Computes the runs that have no kept outputs, and keeps the new outputs. */
  async function complete(
    { runs, compute, ttlSeconds }: CachedCall,
    keys: readonly string[],
    kept: readonly (Tensors | undefined)[],
  ): Promise<Tensors[]> {
    const missing = [...keys.keys()].filter((index) => !kept[index]);
    const computed = await compute(missing.map((index) => runs[index] as Feeds));
    const outputs = [...kept];
    for (const [position, index] of missing.entries()) outputs[index] = computed[position];
    // Waits until the outputs are kept. A request before that would compute them again.
    await Promise.all(
      missing.map((index) => keep(keys[index] as string, outputs[index] as Tensors, ttlSeconds)),
    );
    return outputs as Tensors[];
  }

  async function outputs(call: CachedCall): Promise<Tensors[]> {
    const { manifest, outputNames, isInSteps, runs, directive, recording, compute } = call;
    if (directive) recording.cache = "bypass";
    if (directive === "no-store") return compute(runs);
    const { artifact } = manifest;
    const { runtime } = config;
    const steps = isInSteps ? manifest : undefined;
    const keys = await Promise.all(
      runs.map(({ feeds }) => keyOf({ artifact, runtime, outputNames, feeds, steps })),
    );
    // A call that wants a new answer does not share one that began before it.
    if (directive === "no-cache") return complete(call, keys, []);

    const work = async (): Promise<Tensors[]> => {
      recording.cache = "miss";
      const kept = await recording.phases.time("cache", () => Promise.all(keys.map(lookUp)));
      if (kept.includes(undefined)) return complete(call, keys, kept);
      recording.cache = "hit";
      return kept as Tensors[];
    };
    for (;;)
      try {
        const outputs = await share(keys.join(" "), work);
        recording.cache ??= "collapsed";
        return outputs;
      } catch (error) {
        // The other request's computation failed, perhaps because of its own deadline. One of the waiting requests
        // begins again.
        if (recording.cache) throw error;
      }
  }

  return {
    ttlSeconds: ({ cache }) => cache?.ttlSeconds ?? config.predictionCache.ttlSeconds,
    outputs,
  };
}
