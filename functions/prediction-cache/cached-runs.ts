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
  runs: readonly Feeds[];
  ttlSeconds: number;
  /** What the call has to say of keeping answers. */
  directive: CallOptions["cache"];
  recording: Pick<Recording, "cache" | "phases">;
  /** Computes those of the runs that were not kept; in order. */
  compute: (runs: readonly Feeds[]) => Promise<Tensors[]>;
}

export interface CachedRuns {
  /** How long outputs of the model are kept; 0: not at all. */
  ttlSeconds(manifest: Manifest): number;
  /** The outputs of each run, in order: kept ones, or computed now and kept. Rejects as `compute` does. */
  outputs(call: CachedCall): Promise<Tensors[]>;
}

/** How long a request waits for another that computes the same, before it computes it too. */
const PATIENCE_MS = 10_000;
/** Larger outputs cost more to move than most models to run. */
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

/** Answers for requests that ask the same of the same artifact, whoever sends them. */
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

  /** Computes and keeps the runs of which nothing was kept. */
  async function complete(
    { runs, compute, ttlSeconds }: CachedCall,
    keys: readonly string[],
    kept: readonly (Tensors | undefined)[],
  ): Promise<Tensors[]> {
    const missing = [...keys.keys()].filter((index) => !kept[index]);
    const computed = await compute(missing.map((index) => runs[index] as Feeds));
    const outputs = [...kept];
    for (const [position, index] of missing.entries()) outputs[index] = computed[position];
    // Waited for, so that whoever asks next finds them: on the way they would be computed once more.
    await Promise.all(
      missing.map((index) => keep(keys[index] as string, outputs[index] as Tensors, ttlSeconds)),
    );
    return outputs as Tensors[];
  }

  async function outputs(call: CachedCall): Promise<Tensors[]> {
    const { manifest, outputNames, runs, directive, recording, compute } = call;
    if (directive) recording.cache = "bypass";
    if (directive === "no-store") return compute(runs);
    const { artifact } = manifest;
    const { runtime } = config;
    const keys = await Promise.all(
      runs.map(({ feeds }) => keyOf({ artifact, runtime, outputNames, feeds })),
    );
    // Who must have a new answer does not share one that was begun before it asked.
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
        // Another request's computation failed, perhaps of that one's haste: of those who waited, one begins anew.
        if (recording.cache) throw error;
      }
  }

  return {
    ttlSeconds: ({ cache }) => cache?.ttlSeconds ?? config.predictionCache.ttlSeconds,
    outputs,
  };
}
