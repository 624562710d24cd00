import type { CallRecord } from "../call.ts";
import type { ErrorCode } from "../errors.ts";
import { isOnTrial, percentOf, type Candidate } from "../model/release.ts";
import type { Counters } from "../observe/counters.ts";
import type { Observer } from "../observe/observer.ts";
import { bucketOf, FIELDS, groupOf } from "./evidence.ts";

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

/** The phases that a version is the cause of. Loading is not one: a new version is loaded more often. */
const OWN_PHASES = ["preprocess", "run", "postprocess"] as const;

/** Whether the call tells something about its version: it was answered, or failed for the version's own fault. */
function tells({ error }: CallRecord): boolean {
  return !error || VERSION_FAILURES.has(error.code);
}

/** Counts what calls show of versions on trial. Calls cost nothing more while there are none. */
export function createRolloutCounting(counters: Counters): Observer {
  return {
    call(record) {
      const { release } = record;
      if (!release || !tells(record)) return;
      for (const candidate of release.candidates)
        if (isCompared(record, candidate)) count(counters, record, candidate);
    },
  };
}

/** Whether the call was the candidate's own, or stable's beside it. */
function isCompared({ reason, version }: CallRecord, candidate: Candidate): boolean {
  if (percentOf(candidate) === undefined || !isOnTrial(candidate)) return false;
  return reason === "stable" || (reason === "candidate" && version === candidate.version);
}

function count(counters: Counters, record: CallRecord, { version, segments }: Candidate): void {
  const segment = segments.at(-1);
  // A file that was written by hand may have none. Nothing can be compared then.
  if (!segment) return;
  const fields = FIELDS[record.reason === "candidate" ? "candidate" : "stable"];
  const added = new Map<string, number>([[fields.requests, 1]]);
  if (record.error) added.set(fields.errors, 1);
  const taken = timeOf(record);
  if (taken !== undefined) added.set(`${fields.latency}${bucketOf(taken)}`, 1);
  counters.add(groupOf(record.model, version, segment.id), added);
}

/** The milliseconds that the version took. Undefined without a clock, and for answers that were kept. */
function timeOf({ durations, error }: CallRecord): number | undefined {
  if (!durations || error || durations["run"] === undefined) return undefined;
  return OWN_PHASES.reduce((sum, phase) => sum + (durations[phase] ?? 0), 0);
}
