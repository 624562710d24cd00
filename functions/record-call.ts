import { ANYONE, assignmentKey } from "./auth/caller.ts";
import { requireScope, type RegistryFor } from "./auth/access.ts";
import { AnsweredElsewhere, AnswerLater, type CallOptions, type CallRecord } from "./call.ts";
import { NearcastError } from "./errors.ts";
import type { LookUp } from "./features/look-up.ts";
import type { FollowOf, Shadows } from "./follow.ts";
import type { Charge } from "./limits/charge.ts";
import { createDeadline, type Deadline } from "./load/deadline.ts";
import type { Ongoing } from "./load/ongoing.ts";
import type { Share, Space } from "./load/space.ts";
import type { Turns } from "./load/turns.ts";
import type { Anticipate } from "./model/anticipation.ts";
import type { Assignment } from "./model/assignment.ts";
import type { Manifest } from "./model/manifest.ts";
import type { Resolved } from "./model/registry.ts";
import type { Sessions } from "./model/sessions.ts";
import type { Spans } from "./observe/phases.ts";
import { Recording } from "./observe/recording.ts";
import type { CachedRuns } from "./prediction-cache/cached-runs.ts";

/**
 * The version that answers a call: a promise where the store must be asked. Throws `forbidden`. Rejects with
 * `unknown_model`, `unknown_version`, or with the error from reading the package.
 */
export type Resolve = (
  call: CallOptions,
  onAssigned?: (assignment: Assignment) => void,
) => Resolved | Promise<Resolved>;

/** The services that both paths use: for reading models, running them and recording calls. */
export interface PathServices {
  resolve: Resolve;
  sessions: Pick<Sessions, "acquire">;
  /** Whether the version's session may be loaded here at all. Absent where every one is tried. */
  fits?: (manifest: Manifest) => boolean;
  /** The longest time for a call without its own deadline. */
  timeoutMs: number;
  now: (() => number) | undefined;
  /** Makes phases spans of the platform's own tracing, where no clock measures them. */
  spans?: Spans | undefined;
  /** Gets the record of every call, when that has ended or its time is over. */
  tell: ((record: CallRecord) => void) | undefined;
  /** Absent where no clock can measure turns. */
  turns: Turns | undefined;
  /** For what is made of outputs and waits to be written. Absent for the copies: there are few, and they must not wait. */
  unwritten?: Space;
  /** Takes the cost of a call from the rates. Absent where nothing is limited. */
  charge?: Charge;
  /** Looks up features that inputs lack. Absent where inputs must have them all. */
  lookUp?: LookUp;
  /** Runs with kept outputs. Absent where none are kept. */
  cachedRuns?: CachedRuns;
  /** What is done with predictions of a version: drift, feedback, capture. Absent for the copies. */
  followOf?: FollowOf;
  /** Copies calls for versions on trial. Absent for the copies. */
  shadows?: Shadows;
  /** Counts the calls that are being answered. Absent for the copies. */
  ongoing?: Ongoing;
}

/** One call while it is being answered. Its recording becomes its record. */
export interface OngoingCall {
  call: CallOptions;
  deadline: Deadline;
  recording: Recording;
  /** Taken when the model is loaded, so that nobody waits for room behind a load. Absent where little is unwritten. */
  unwritten?: Share | undefined;
}

export function createResolve(registryFor: RegistryFor, anticipate?: Anticipate): Resolve {
  return function resolve(call, onAssigned = call.onAssigned) {
    const { model, version, override, caller = ANYONE, id, key, decided } = call;
    const registry = registryFor(caller, "predict");
    if (decided?.model === model) {
      const { version: own, ...why } = decided.assignment;
      onAssigned?.(decided.assignment);
      const found = Promise.resolve(registry.resolve(model, { version: own }));
      return found.then((version) => ({ ...version, ...why }));
    }
    if (override !== undefined) requireScope(caller, "override");
    const found = registry.resolve(model, {
      version,
      override,
      key: assignmentKey(caller, key, id),
      ...(onAssigned && { onAssigned }),
    });
    // After the store was asked: loading computes while the store answers.
    anticipate?.(model);
    return found;
  };
}

/** Makes the record of a call, however it ends. */
export async function recordCall<Answer>(
  services: PathServices,
  kind: CallRecord["kind"],
  call: CallOptions,
  answerCall: (ongoing: OngoingCall) => Promise<Answer>,
): Promise<Answer & { record: CallRecord }> {
  if (call.later) throw new AnswerLater(call.resolved ?? (await services.resolve(call)));
  const { id = crypto.randomUUID(), caller = ANYONE, key, model } = call;
  const deadline = call.deadline ?? createDeadline(services.timeoutMs, () => false);
  const begun = { id, kind, at: Date.now(), caller: caller.name, key, model };
  const recording = new Recording(begun, call, services);
  // The work may go on after the deadline. The record shows what the caller was told. The watcher is an object, not a
  // function: V8 moves a function that each call makes to its old objects, and they keep whole requests alive.
  // Predictions would take 30 % more time.
  deadline.watcher = recording;
  try {
    const work = answerCall({
      call: call.id === undefined ? { ...call, id } : call,
      deadline,
      recording,
    });
    // A caller with its own deadline applies it itself.
    const answer = await (call.deadline ? work : deadline.within(work));
    return { ...answer, record: recording.end() };
  } catch (error) {
    const isAnswered = error instanceof AnsweredElsewhere;
    if (isAnswered) recording.cache = error.cache;
    recording.end(isAnswered ? error.failure : error);
    throw error;
  }
}

/** Resolves the version, and applies its limits to the call. */
export function begin(
  { resolve }: PathServices,
  ongoing: OngoingCall,
): Resolved | Promise<Resolved> {
  const { call, recording } = ongoing;
  const found =
    call.resolved ??
    recording.phases.time("resolve", () =>
      resolve(call, (assignment) => {
        recording.assignment = assignment;
        call.onAssigned?.(assignment);
      }),
    );
  return found instanceof Promise
    ? found.then((version) => limited(version, ongoing))
    : limited(found, ongoing);
}

function limited(found: Resolved, { call, deadline, recording }: OngoingCall): Resolved {
  const { received } = call;
  recording.version = found;
  const { bodyBytes } = found.limits;
  if (received && received.bytes > bodyBytes)
    throw new NearcastError(
      "body_too_large",
      `The body may have at most ${bodyBytes} bytes for ${call.model}.`,
    );
  const { timeoutMs } = found.manifest.limits ?? {};
  if (timeoutMs !== undefined) deadline.shorten(timeoutMs);
  return found;
}
