/** What a call's look-up did, for metrics. It counts of calls that fail too. */
export interface LookupTally {
  source: string;
  /** 1 where the source was asked. */
  reads: number;
  /** 1 where it did not answer, or not in time. */
  failures: number;
  /** Values that the source does not know. */
  misses: number;
  /** Values that were too old. */
  stale: number;
}

export function startTally(source: string): LookupTally {
  return { source, reads: 0, failures: 0, misses: 0, stale: 0 };
}
