import { LRUCache } from "lru-cache";
import type { Platform } from "../platform/types.ts";
import type { Sample } from "./metrics-text.ts";

/** What is summed over hours and days is in as many places: it is read at most once in this time. */
const FRESH_MS = 60_000;
const MOST_SUBJECTS = 100;

interface Sampled<Subject extends object | string> {
  /** What is measured, for the log: "drift". */
  what: string;
  /** What this instance knows of. */
  subjects: () => readonly Subject[];
  /** Rejects while the counters cannot be reached. */
  samplesOf: (subject: Subject) => Promise<Sample[]>;
}

/** Gives the samples of all subjects, each read at most once a minute. While the counters are out of reach, there is none. */
export function createFreshSamples<Subject extends object | string>(
  log: Platform["log"],
  { what, subjects, samplesOf }: Sampled<Subject>,
): () => Promise<Sample[]> {
  const kept = new LRUCache<Subject, { samples: Sample[]; at: number }>({ max: MOST_SUBJECTS });

  async function freshOf(subject: Subject): Promise<Sample[]> {
    const known = kept.get(subject);
    const at = Date.now();
    if (known && Math.abs(at - known.at) < FRESH_MS) return known.samples;
    const samples = await samplesOf(subject);
    kept.set(subject, { samples, at });
    return samples;
  }

  return async () => {
    try {
      return (await Promise.all(subjects().map(freshOf))).flat();
    } catch (error) {
      const message = `counters out of reach: no metrics of ${what}`;
      log({ level: "error", message, error: String(error) });
      return [];
    }
  };
}
