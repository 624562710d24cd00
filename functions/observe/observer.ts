import type { CallRecord } from "../call.ts";
import type { ErrorCode } from "../errors.ts";

/** What happened to one HTTP request. It may have had one call of a model in it. */
export interface RequestRecord {
  readonly id: string;
  /** Of the client's `traceparent` (W3C Trace Context). */
  readonly traceId: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** The caller's name. */
  readonly caller: string;
  readonly error: { code: ErrorCode; message: string } | undefined;
  /** From the first middleware to the answer's headers; absent where the platform's clock stands still. */
  readonly milliseconds: number | undefined;
  /** Whether it was the first request of this instance. */
  readonly cold: boolean;
  readonly call: CallRecord | undefined;
}

/**
 * Gets records. Both methods must return at once. What they throw is logged, and changes nothing else.
 *
 * @example
 * const failures: Observer = { call: ({ error }) => void (error && count(error.code)) };
 */
export interface Observer {
  /** A call has ended, whoever made it: HTTP, a job, a script. */
  call?: (record: CallRecord) => void;
  /** An HTTP request was answered. */
  request?: (record: RequestRecord) => void;
}

/** One observer that tells all of them. */
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
  return { ...(call && { call }), ...(request && { request }) };
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
