import type { InputIssue, Problem, ServiceErrorCode } from "./types.ts";

/**
 * Every code of a {@link NearcastClientError}: the service's, `network` (no answer came), `timeout` (`timeoutMs` is
 * over), `unexpected_answer` (the answer is not the service's, but a proxy's or another server's).
 */
export type ErrorCode =
  | ServiceErrorCode
  | "network"
  | "timeout"
  | "unexpected_answer"
  // Keeps completion of the others in editors.
  | (string & {});

interface ErrorDetails {
  status?: number;
  errors?: InputIssue[];
  requestId?: string;
  retryAfterSeconds?: number | undefined;
  cause?: unknown;
}

/**
 * What every call of the client rejects with, except when its signal is aborted.
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
  /** The HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly code: ErrorCode;
  /** What is wrong, in words. The message of the error is the same. */
  readonly detail: string;
  /** What is wrong with the input, by path; empty for other errors. */
  readonly errors: readonly InputIssue[];
  /** The id that the service's log has; empty where no answer came. */
  readonly requestId: string;
  /** When the service said to try again, in seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, detail: string, details: ErrorDetails = {}) {
    super(detail, { cause: details.cause });
    this.code = code;
    this.detail = detail;
    this.status = details.status ?? 0;
    this.errors = details.errors ?? [];
    this.requestId = details.requestId ?? "";
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The error that an answer stands for, whether its body is a problem or something else. */
export function errorOf(response: Response, body: unknown): NearcastClientError {
  const { status, headers } = response;
  const details = {
    status,
    requestId: headers.get("X-Request-Id") ?? "",
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

/** Seconds or an HTTP date (RFC 9110, section 10.2.3). */
function retryAfterSeconds(text: string | null): number | undefined {
  if (!text) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
