import type { CallRecord } from "../call.ts";
import type { ErrorCode } from "../errors.ts";
import { isOnTrial, percentOf, type Candidate } from "../model/release.ts";
import type { Durations } from "../observe/phases.ts";
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

/** Whether the failure is the version's own fault. */
export function isOwnFailure(code: ErrorCode): boolean {
  return VERSION_FAILURES.has(code);
}

/** Whether the call tells something about its version: it was answered, or failed for the version's own fault. */
function tells({ error }: CallRecord): boolean {
  return !error || VERSION_FAILURES.has(error.code);
}

/** Counts what calls show of versions on trial. Calls cost nothing more while there are none. */
export function createRolloutCounting(counters: Counters): Observer {
  return {
    call(record) {
      const { release, reason, model } = record;
      if (!release || !tells(record)) return;
      const which = reason === "candidate" ? "candidate" : "stable";
      for (const candidate of release.candidates)
        if (isCompared(record, candidate)) add(counters, model, candidate, told(which, record));
    },
    copy({ model, version, release, ...copy }) {
      const candidate = release.candidates.find((one) => one.version === version);
      if (!candidate) return;
      const { dropped, compared, disagreed } = copy;
      if (dropped)
        return add(counters, model, candidate, new Map([[`${FIELDS.dropped}${dropped}`, 1]]));
      const added = told("candidate", copy);
      if (compared > 0) added.set(FIELDS.compared, compared);
      if (disagreed > 0) added.set(FIELDS.disagreed, disagreed);
      add(counters, model, candidate, added);
    },
  };
}

/** Whether the call was the candidate's own, or stable's beside it, of which the candidate may get a copy. */
function isCompared({ reason, version, shadows }: CallRecord, candidate: Candidate): boolean {
  if (!isOnTrial(candidate)) return false;
  if (percentOf(candidate) === undefined) return shadows?.includes(candidate.version) ?? false;
  return reason === "stable" || (reason === "candidate" && version === candidate.version);
}

/** What a request of one version adds. */
function told(
  which: "candidate" | "stable",
  { error, durations }: { error: unknown; durations: Durations | undefined },
): Map<string, number> {
  const fields = FIELDS[which];
  const added = new Map<string, number>([[fields.requests, 1]]);
  if (error) added.set(fields.errors, 1);
  // There is none without a clock, and for answers that were kept.
  if (!error && durations?.["run"] !== undefined) {
    const taken = OWN_PHASES.reduce((sum, phase) => sum + (durations[phase] ?? 0), 0);
    added.set(`${fields.latency}${bucketOf(taken)}`, 1);
  }
  return added;
}

function add(
  counters: Counters,
  model: string,
  { version, segments }: Candidate,
  added: ReadonlyMap<string, number>,
): void {
  const segment = segments.at(-1);
  // A file that was written by hand may have none. Nothing can be compared then.
  if (segment) counters.add(groupOf(model, version, segment.id), added);
}
