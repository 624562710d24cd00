import type { Counters, Group } from "../observe/counters.ts";
import type { DropReason } from "../observe/observer.ts";
import type { Candidate, Segment } from "../model/release.ts";

/** What is known of the requests that one version answered in a segment. */
export interface VersionCounts {
  requests: number;
  /** Failures that are not the client's. */
  errors: number;
  /** Answers by the time they took: the place is the bucket of {@link bucketOf}. */
  latency: number[];
}

/** What became of copies. */
export interface Copies {
  /** Inputs that both versions answered, and how many of them the candidate answered otherwise than stable. */
  compared: number;
  disagreed: number;
  /** Requests that were not copied, by why. Absent where all were. */
  dropped?: Partial<Record<DropReason, number>>;
}

/** What was counted in a time with one share. */
export interface SegmentCounts {
  candidate: VersionCounts;
  stable: VersionCounts;
  copies: Copies;
}

/** What was counted of a candidate, by segment. */
export type Evidence = readonly { segment: Segment; counts: SegmentCounts }[];

/** Counts are kept so long after the last request. */
const KEPT_SECONDS = 14 * 86_400;

/** Each bucket's upper bound is a quarter above the one before. The last one has everything slower than a minute. */
const GROWTH = Math.log(1.25);
const FASTEST_MS = 0.1;
export const LATENCY_BUCKETS = 60;

/** The bucket of a time in milliseconds. */
export function bucketOf(milliseconds: number): number {
  const place = Math.ceil(Math.log(milliseconds / FASTEST_MS) / GROWTH);
  return Math.min(LATENCY_BUCKETS - 1, Math.max(0, place));
}

/** The longest time in a bucket, in milliseconds. */
export function bucketBound(bucket: number): number {
  return FASTEST_MS * Math.exp(bucket * GROWTH);
}

/** Where a segment of a candidate is counted. */
export function groupOf(model: string, candidate: string, segment: number): Group {
  return { model, name: `rollout/${candidate}/${segment}`, keptSeconds: KEPT_SECONDS };
}

/** The names of what is counted: of the candidate, of stable, and of copies. */
export const FIELDS = {
  candidate: { requests: "c.n", errors: "c.e", latency: "c.l" },
  stable: { requests: "s.n", errors: "s.e", latency: "s.l" },
  compared: "d.n",
  disagreed: "d.e",
  /** With the reason after it. */
  dropped: "d.x.",
} as const;

/** Reads what all instances counted of a candidate. Rejects while the place of the counts cannot be reached. */
export async function readEvidence(
  counters: Pick<Counters, "read">,
  model: string,
  { version, segments }: Candidate,
): Promise<Evidence> {
  return Promise.all(
    segments.map(async (segment) => ({
      segment,
      counts: countsOf(await counters.read(groupOf(model, version, segment.id))),
    })),
  );
}

function countsOf(sums: ReadonlyMap<string, number>): SegmentCounts {
  return {
    candidate: versionCounts(sums, FIELDS.candidate),
    stable: versionCounts(sums, FIELDS.stable),
    copies: {
      compared: sums.get(FIELDS.compared) ?? 0,
      disagreed: sums.get(FIELDS.disagreed) ?? 0,
      ...droppedOf(sums),
    },
  };
}

function droppedOf(sums: ReadonlyMap<string, number>): Pick<Copies, "dropped"> {
  const found = [...sums].flatMap(([field, count]) =>
    field.startsWith(FIELDS.dropped) ? [[field.slice(FIELDS.dropped.length), count] as const] : [],
  );
  return found.length > 0 ? { dropped: Object.fromEntries(found) } : {};
}

function versionCounts(
  sums: ReadonlyMap<string, number>,
  fields: (typeof FIELDS)["candidate" | "stable"],
): VersionCounts {
  const latency = Array.from(
    { length: LATENCY_BUCKETS },
    (_, bucket) => sums.get(`${fields.latency}${bucket}`) ?? 0,
  );
  return {
    requests: sums.get(fields.requests) ?? 0,
    errors: sums.get(fields.errors) ?? 0,
    latency,
  };
}
