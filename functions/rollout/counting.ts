import type { CallRecord } from "../call.ts";
import type { ErrorCode } from "../errors.ts";
import { isOnTrial, percentOf, type Candidate } from "../model/release.ts";
import type { Counters } from "../observe/counters.ts";
import type { Gathered } from "../observe/gather.ts";
import type { DropReason, Observer } from "../observe/observer.ts";
import { createTally, type Tally } from "../observe/tally.ts";
import { bucketOf, FIELDS, groupOf, LATENCY_BUCKETS } from "./evidence.ts";

/** Failures of the version, and not of the client, the store or the machine. */
const VERSION_FAILURES: ReadonlySet<ErrorCode> = new Set([
  "internal",
  "model_corrupt",
  "model_untrusted",
  "model_too_large",
  "runtime_failed",
  "deadline_exceeded",
  "answer_too_large",
  "out_of_memory",
]);

/** Whether the failure is the version's own fault. */
export function isOwnFailure(code: ErrorCode): boolean {
  return VERSION_FAILURES.has(code);
}

/** Whether the call tells something about its version: it was answered, or failed for the version's own fault. */
function tells({ error }: CallRecord): boolean {
  return !error || VERSION_FAILURES.has(error.code);
}

/** Where a side's fields begin in the sums of a segment: requests, errors, then the buckets of latency. */
const START = { candidate: 0, stable: 2 + LATENCY_BUCKETS };
const COPIES = 2 * START.stable;
const DROPPED = COPIES + 2;
const REASONS: readonly DropReason[] = ["busy", "size", "memory", "store", "platform", "state"];

/** The fields of a segment, by their places in its sums. */
const SEGMENT_FIELDS: readonly string[] = [
  ...[FIELDS.candidate, FIELDS.stable].flatMap(({ requests, errors, latency }) => [
    requests,
    errors,
    ...Array.from({ length: LATENCY_BUCKETS }, (_, bucket) => `${latency}${bucket}`),
  ]),
  FIELDS.compared,
  FIELDS.disagreed,
  ...REASONS.map((reason) => `${FIELDS.dropped}${reason}`),
];

/** Counts what calls show of versions on trial. Calls cost nothing more while there are none. */
export function createRolloutCounting(
  counters: Pick<Counters, "addSoon">,
  calls: Gathered<CallRecord>,
): Observer {
  const known = new WeakMap<Candidate, Tally>();

  /** The sums of the candidate's present segment. A file that was written by hand may have none. */
  function sumsOf(model: string, candidate: Candidate): Tally | undefined {
    let sums = known.get(candidate);
    if (sums) return sums;
    const segment = candidate.segments.at(-1);
    if (!segment) return undefined;
    sums = createTally(counters, groupOf(model, candidate.version, segment.id), SEGMENT_FIELDS);
    known.set(candidate, sums);
    return sums;
  }

  calls.each((record) => {
    const { release, reason, model } = record;
    if (!release || !tells(record)) return;
    for (const candidate of release.candidates) {
      if (!isCompared(record, candidate)) continue;
      const sums = sumsOf(model, candidate);
      if (!sums) continue;
      addRequest(sums, reason === "candidate" ? START.candidate : START.stable, record);
      sums.changed();
    }
  });

  return {
    call(record) {
      if (record.release?.candidates.length) counters.addSoon(calls.count);
    },
    copy({ model, version, release, ...copy }) {
      const candidate = release.candidates.find((one) => one.version === version);
      const sums = candidate && sumsOf(model, candidate);
      if (!sums) return;
      const { dropped, compared, disagreed } = copy;
      if (dropped) sums.add(DROPPED + REASONS.indexOf(dropped), 1);
      else {
        addRequest(sums, START.candidate, copy);
        sums.add(COPIES, compared);
        sums.add(COPIES + 1, disagreed);
      }
      sums.changed();
    },
  };
}

/** Whether the call was the candidate's own, or stable's beside it, of which the candidate may get a copy. */
function isCompared({ reason, version, shadows }: CallRecord, candidate: Candidate): boolean {
  if (!isOnTrial(candidate)) return false;
  if (percentOf(candidate) === undefined) return shadows?.includes(candidate.version) ?? false;
  return reason === "stable" || (reason === "candidate" && version === candidate.version);
}

/** Adds a request of one side, whose fields begin at `start`. */
function addRequest(
  sums: Tally,
  start: number,
  {
    error,
    durations,
    cache,
  }: Pick<CallRecord, "durations"> & { error: unknown; cache?: CallRecord["cache"] },
): void {
  sums.add(start, 1);
  if (error) sums.add(start + 1, 1);
  // There is none without a clock, and for answers that were kept.
  else if (durations && (durations["run"] ?? (cache === "hit" ? undefined : durations["region"]))) {
    // Loading is not of them: a new version is loaded more often.
    const { preprocess = 0, run = 0, postprocess = 0, region = 0 } = durations;
    sums.add(start + 2 + bucketOf(preprocess + run + postprocess + region), 1);
  }
}
