import type { InputIssue, Problem, ServiceErrorCode } from "./types.ts";

/**
 * The codes of a {@link NearcastClientError}: those of the service, `network` (no answer came), `timeout` (`timeoutMs`
 * is over), `unexpected_answer` (the answer came from a proxy or another server) and `not_in_page` (a local model that
 * the page does not run, or that is closed).
 */
export type ErrorCode =
  | ServiceErrorCode
  | "network"
  | "timeout"
  | "unexpected_answer"
  | "not_in_page"
  // Lets editors still complete the other codes.
  | (string & {});

/** The ids of a request, as far as they are known. */
export interface RequestIds {
  requestId: string;
  traceId: string;
}

interface ErrorDetails extends Partial<RequestIds> {
  status?: number;
  errors?: InputIssue[];
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

/**
 * The error of every failed call, except when its signal is aborted.
 *
 * @example
 * try {
 *   await client.predict("iris", flower);
 * } catch (error) {
 *   if (error instanceof NearcastClientError) for (const { path, message } of error.errors) show(path, message);
 * }
 */
export class NearcastClientError extends Error {
  override readonly name = "NearcastClientError";
  /** The HTTP status. 0 when no answer came. */
  readonly status: number;
  readonly code: ErrorCode;
  /** What is wrong, in words. The message of the error is the same. */
  readonly detail: string;
  /** What is wrong with the input, by path. Empty for other errors. */
  readonly errors: readonly InputIssue[];
  /** The request's id in the service's log. Empty when no answer came to a call without an id of its own. */
  readonly requestId: string;
  /** The trace's id, 32 hexadecimal digits. Empty for a call without a `traceparent`. */
  readonly traceId: string;
  /** After how many seconds to try again, if the service says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, details: ErrorDetails = {}) {
    super(detail, { cause: details.cause });
    this.code = code;
    this.detail = detail;
    this.status = details.status ?? 0;
    this.errors = details.errors ?? [];
    this.requestId = details.requestId ?? "";
    this.traceId = details.traceId ?? "";
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The error for a failed answer, whether or not its body is a problem. `sent` are the ids of the request. */
export function errorOf(
  response: Response,
  body: unknown,
  sent: RequestIds = { requestId: "", traceId: "" },
): NearcastClientError {
  const { status, headers } = response;
  const details = {
    status,
    requestId: headers.get("X-Request-Id") ?? sent.requestId,
    traceId: traceIdOf(headers.get("traceparent")) || sent.traceId,
    retryAfterSeconds: retryAfterSeconds(headers.get("Retry-After")),
  };
  const { code, detail, errors, requestId } = (body ?? {}) as Partial<Problem>;
  if (typeof code === "string" && typeof detail === "string")
    return new NearcastClientError(code, detail, {
      ...details,
      ...(Array.isArray(errors) && { errors }),
      ...(typeof requestId === "string" && { requestId }),
    });
  const type = headers.get("Content-Type") ?? "no media type";
  return new NearcastClientError(
    "unexpected_answer",
    `The answer is not one of Nearcast's: status ${status}, ${type}.`,
    details,
  );
}

/** The trace's id in a `traceparent` (W3C Trace Context). Empty without one. */
export function traceIdOf(traceparent: string | null | undefined): string {
  return /^[\da-f]{2}-([\da-f]{32})-/.exec(traceparent ?? "")?.[1] ?? "";
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3). */
export function retryAfterSeconds(text: string | null): number | undefined {
  if (!text) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
