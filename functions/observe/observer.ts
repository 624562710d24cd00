import type { CallRecord } from "../call.ts";
import type { ErrorCode } from "../errors.ts";
import type { JobStatus } from "../jobs/job.ts";
import type { Release } from "../model/release.ts";
import type { Durations } from "./phases.ts";
import type { Trace } from "./trace.ts";

/** What happened to one HTTP request. It may include one call of a model. */
export interface RequestRecord {
  readonly id: string;
  /** The trace of the client's `traceparent` (W3C Trace Context). */
  readonly trace: Trace | undefined;
  readonly method: string;
  readonly path: string;
  /** The pattern of the route that answered, such as `/v1/models/:model/predict`. Absent where there was none. */
  readonly route: string | undefined;
  readonly status: number;
  /** The caller's name. */
  readonly caller: string;
  readonly error: { code: ErrorCode; message: string } | undefined;
  /** The time from the first middleware to the answer's headers. Absent where the platform's clock stands still. */
  readonly milliseconds: number | undefined;
  /** Whether it was the first request of this instance. */
  readonly cold: boolean;
  readonly call: CallRecord | undefined;
}

/** What happened when a model's artifact was loaded into memory. */
export interface LoadRecord {
  readonly model: string;
  readonly version: string;
  /** Absent where the platform's clock stands still. */
  readonly milliseconds: number | undefined;
  /** Why it failed. */
  readonly error: unknown;
}

/** What became of the copy of one call, for one version. */
export interface CopyRecord {
  readonly model: string;
  /** The version that got the copy, or would have. */
  readonly version: string;
  /** The release that asked for it. */
  readonly release: Release;
  /** Inputs with an answer of both versions, and those of them that were answered otherwise than by stable. */
  readonly compared: number;
  readonly disagreed: number;
  /** Milliseconds by phase. Absent where the copy failed or was dropped, or the platform's clock stands still. */
  readonly durations: Durations | undefined;
  /** Why the version failed, for its own fault. */
  readonly error: ErrorCode | undefined;
  /** Why no copy was made. */
  readonly dropped: DropReason | undefined;
}

/**
 * Why no copy was made. `busy`: others were answered or copied. `size`: the request was too large. `memory`: there was
 * no room for the version. `store`: it could not be read. `platform`: answers leave only after all work. `state`: the call
 * goes on from a state of stable's.
 */
export type DropReason = "busy" | "size" | "memory" | "store" | "platform" | "state";

/** What became of captured lines: inputs with their answers, and outcomes. */
export interface CaptureRecord {
  readonly model: string;
  readonly version: string;
  readonly lines: number;
  /** `written`: the store has them. `dropped`: it did not take earlier ones in time, and there was no room. */
  readonly outcome: "written" | "dropped";
}

/** What became of a job: it was made, or it has ended. */
export interface JobRecord {
  readonly model: string;
  readonly version: string;
  readonly status: JobStatus;
}

/** What became of one try to tell a webhook of the end of a job or a batch. `failed`: it is tried again. */
export interface WebhookRecord {
  readonly model: string;
  readonly version: string;
  readonly outcome: "delivered" | "failed" | "given_up";
}

/**
 * Gets records. All methods must return at once. Errors that they throw are logged and change nothing else.
 *
 * @example
 * const failures: Observer = { call: ({ error }) => void (error && count(error.code)) };
 */
export interface Observer {
  /** A call has ended, whoever made it: HTTP, a job, a script. */
  call?: (record: CallRecord) => void;
  /** A model was loaded, or could not be. */
  load?: (record: LoadRecord) => void;
  /** A version on trial got the copy of a call, or did not. */
  copy?: (record: CopyRecord) => void;
  /** Lines were captured, or dropped. */
  capture?: (record: CaptureRecord) => void;
  /** A job was made, or it has ended. */
  job?: (record: JobRecord) => void;
  /** A webhook was told of an end, or could not be. */
  webhook?: (record: WebhookRecord) => void;
  /** An HTTP request was answered. */
  request?: (record: RequestRecord) => void;
}

/** A platform with a place of its own for records, such as its metrics. */
export interface Observing {
  observer?: Observer | undefined;
}

/** Makes one observer that passes records to all of them. */
export function tellAll(
  observers: readonly Observer[],
  onFailure: (error: unknown) => void,
): Observer {
  const call = teller(
    observers.flatMap((observer) => observer.call ?? []),
    onFailure,
  );
  const request = teller(
    observers.flatMap((observer) => observer.request ?? []),
    onFailure,
  );
  const load = teller(
    observers.flatMap((observer) => observer.load ?? []),
    onFailure,
  );
  const copy = teller(
    observers.flatMap((observer) => observer.copy ?? []),
    onFailure,
  );
  const capture = teller(
    observers.flatMap((observer) => observer.capture ?? []),
    onFailure,
  );
  const job = teller(
    observers.flatMap((observer) => observer.job ?? []),
    onFailure,
  );
  const webhook = teller(
    observers.flatMap((observer) => observer.webhook ?? []),
    onFailure,
  );
  return {
    ...(call && { call }),
    ...(job && { job }),
    ...(webhook && { webhook }),
    ...(load && { load }),
    ...(copy && { copy }),
    ...(capture && { capture }),
    ...(request && { request }),
  };
}

function teller<Told>(
  listeners: readonly ((told: Told) => void)[],
  onFailure: (error: unknown) => void,
): ((told: Told) => void) | undefined {
  if (listeners.length === 0) return undefined;
  return (told) => {
    for (const listen of listeners)
      try {
        listen(told);
      } catch (error) {
        onFailure(error);
      }
  };
}
