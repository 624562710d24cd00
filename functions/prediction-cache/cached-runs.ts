import { createSingleFlight } from "../model/single-flight.ts";
import type { Manifest } from "../model/manifest.ts";
import type { Platform } from "../platform/types.ts";
import type { RequestContext } from "../request-context.ts";
import type { Run } from "../tasks/types.ts";
import type { Tensors } from "../tensor.ts";
import { readEntry, writeEntry } from "./entry.ts";
import { keyOf } from "./key.ts";

type Feeds = Pick<Run, "feeds">;

export interface CachedCall {
  manifest: Manifest;
  outputNames: readonly string[];
  runs: readonly Feeds[];
  context: RequestContext;
  /** Computes those of the runs that were not kept; in order. */
  compute: (runs: readonly Feeds[]) => Promise<Tensors[]>;
}

/** The outputs of each run, in order: kept ones, or computed now and kept. Rejects as `compute` does. */
export type CachedRuns = (call: CachedCall, ttlSeconds: number) => Promise<Tensors[]>;

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

  return async function cachedRuns(call, ttlSeconds) {
    const { manifest, outputNames, runs, context, compute } = call;
    const { noStore, noLookUp } = directives(context);
    if (noStore) {
      context.cache = "bypass";
      return compute(runs);
    }
    const { artifact } = manifest;
    const { runtime } = config;
    const { keys, kept } = await context.phases.time("cache", async () => {
      const keys = await Promise.all(
        runs.map(({ feeds }) => keyOf({ artifact, runtime, outputNames, feeds })),
      );
      return { keys, kept: noLookUp ? [] : await Promise.all(keys.map(lookUp)) };
    });
    const missing = [...keys.keys()].filter((index) => !kept[index]);
    context.cache = noLookUp ? "bypass" : missing.length === 0 ? "hit" : "miss";
    if (missing.length === 0) return kept as Tensors[];

    const missingKeys = missing.map((index) => keys[index] as string);
    const work = async () => {
      const computed = await compute(missing.map((index) => runs[index] as Feeds));
      for (const [index, key] of missingKeys.entries())
        waitUntil(keep(key, computed[index] as Tensors, ttlSeconds));
      return computed;
    };
    // Who must have a new answer does not take one that was begun before it asked.
    const computed = noLookUp ? await work() : await sharing(missingKeys.join(" "), work);
    for (const [position, index] of missing.entries()) kept[index] = computed[position];
    return kept as Tensors[];
  };

  /** One computation for all that ask the same meanwhile. It may fail of its own request's haste: not theirs. */
  async function sharing(key: string, work: () => Promise<Tensors[]>): Promise<Tensors[]> {
    let own = false;
    try {
      return await share(key, () => {
        own = true;
        return work();
      });
    } catch (error) {
      if (own) throw error;
      return work();
    }
  }
}

/** What the request's `Cache-Control` (RFC 9111, section 5.2.1) has to say. */
function directives({ request }: RequestContext): { noStore: boolean; noLookUp: boolean } {
  const given = request?.header("cache-control")?.toLowerCase() ?? "";
  const names = new Set(given.split(",").map((directive) => directive.trim()));
  return { noStore: names.has("no-store"), noLookUp: names.has("no-cache") };
}
