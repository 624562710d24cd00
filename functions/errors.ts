import type { ZodType } from "zod";
import { plainIssue } from "./plain-issue.ts";

/** Every code an answer can carry, with its HTTP status and title (RFC 9457, section 3.1). */
const ERRORS = {
  malformed_request: [400, "Malformed request"],
  malformed_json: [400, "Malformed JSON"],
  unauthorized: [401, "Not authenticated"],
  forbidden: [403, "Not allowed"],
  not_found: [404, "Not found"],
  unknown_model: [404, "Unknown model"],
  unknown_version: [404, "Unknown version"],
  method_not_allowed: [405, "Method not allowed"],
  not_acceptable: [406, "Not acceptable"],
  conflict: [409, "Conflict"],
  request_timeout: [408, "Request timeout"],
  body_too_large: [413, "Body too large"],
  unsupported_media_type: [415, "Unsupported media type"],
  range_not_satisfiable: [416, "Range not satisfiable"],
  invalid_input: [422, "Invalid input"],
  rate_limited: [429, "Too many requests"],
  /** Only the access log shows this answer: the client is gone. (The status is nginx's.) */
  client_closed_request: [499, "Client closed the request"],
  internal: [500, "Internal error"],
  model_corrupt: [502, "Model package is corrupt"],
  model_untrusted: [502, "Model package is not signed by a trusted key"],
  features_invalid: [502, "Looked-up features do not fit the model"],
  authentication_not_configured: [503, "Authentication is not configured"],
  authentication_unavailable: [503, "Authentication is out of reach"],
  features_unavailable: [503, "Source of features out of reach"],
  overloaded: [503, "Overloaded"],
  region_unavailable: [503, "Region not available"],
  runtime_failed: [503, "Runtime failed"],
  shutting_down: [503, "Shutting down"],
  store_unavailable: [503, "Model store out of reach"],
  deadline_exceeded: [504, "Deadline exceeded"],
  /** Not `deadline_exceeded`: the version is not the cause. */
  features_late: [504, "Source of features too slow"],
  answer_too_large: [507, "Answer too large"],
  out_of_memory: [507, "Not enough memory"],
  model_too_large: [507, "Model larger than the memory budget"],
  loop_detected: [508, "Loop detected"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ErrorCode = keyof typeof ERRORS;

/** One thing wrong with an input; `path` reads like JavaScript: `inputs[3].sepal_length`. */
export interface InputIssue {
  path: string;
  message: string;
}

interface ErrorDetails {
  issues?: InputIssue[];
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
  cause?: unknown;
}

/** The only error that reaches a client. Any other is answered as `internal` and logged. */
export class NearcastError extends Error {
  readonly code: ErrorCode;
  readonly issues: InputIssue[] | undefined;
  readonly headers: Record<string, string>;

  constructor(code: ErrorCode, detail: string, details: ErrorDetails = {}) {
    super(detail, { cause: details.cause });
    this.name = "NearcastError";
    this.code = code;
    this.issues = details.issues;
    this.headers = { ...details.headers };
    if (details.retryAfterSeconds !== undefined)
      this.headers["Retry-After"] = String(details.retryAfterSeconds);
  }

  get status(): (typeof ERRORS)[ErrorCode][0] {
    return ERRORS[this.code][0];
  }
}

/**
 * The RFC 9457 body of an error. Clients of the Open Inference Protocol and TensorFlow Serving read the extra string
 * member `error`.
 */
export function problem(error: NearcastError, requestId: string) {
  const [status, title] = ERRORS[error.code];
  return {
    type: `urn:nearcast:error:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    requestId,
    error: error.message,
    ...(error.issues && { errors: error.issues }),
  };
}

const MAX_ISSUES = 100;
const MAX_ISSUE_TEXT = 400;

/**
 * A 422 with the first {@link MAX_ISSUES} issues. The detail has the first issue in words. Names from the request are
 * cut, so that the answer does not become larger than Lambda can send.
 */
export function invalidInput(issues: InputIssue[]): NearcastError {
  const shown = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => ({ path: cut(path), message: cut(message) }));
  const first = shown[0] ?? { path: "inputs", message: "is invalid" };
  const orMore = issues.length < MAX_ISSUES ? "" : "at least ";
  const more = issues.length > 1 ? ` (and ${orMore}${issues.length - 1} more)` : "";
  return new NearcastError("invalid_input", `${first.path} ${first.message}${more}`, {
    issues: shown,
  });
}

/** Collects the issues of an input, up to the number that an answer shows. */
export class InputIssues {
  readonly #found: InputIssue[] = [];

  /** Adds an issue. Throws `invalid_input` when an answer would show no more: a body can have a million issues. */
  push(issue: InputIssue): void {
    this.#found.push(issue);
    if (this.#found.length === MAX_ISSUES) this.check();
  }

  /** Throws `invalid_input` when there is any. */
  check(): void {
    if (this.#found.length > 0) throw invalidInput(this.#found);
  }
}

/**
 * A body, or the part of it at `at`, that fits its schema. Throws `invalid_input` with a path from the body's root for
 * each wrong member.
 */
export function checkBody<T>(schema: ZodType<T>, body: unknown, at: readonly string[] = []): T {
  const result = schema.safeParse(body, SHORT_ISSUES);
  if (result.success) return result.data;
  throw invalidInput(
    result.error.issues.map(({ path, message }) => ({
      path: [...at, ...path].join(".") || "body",
      message: plainIssue(message),
    })),
  );
}

/** A body of some kilobytes can have thousands of members that are not known: an answer names a few. */
const MOST_NAMES = 5;
const SHORT_ISSUES: Parameters<ZodType["safeParse"]>[1] = {
  error(issue) {
    if (issue.code !== "unrecognized_keys" || issue.keys.length <= MOST_NAMES) return undefined;
    const names = issue.keys.slice(0, MOST_NAMES).map((name) => JSON.stringify(name));
    return `Unrecognized keys: ${names.join(", ")}, …`;
  },
};

/** A 405 that names the methods of the path. */
export function methodNotAllowed(path: string, methods: readonly string[]): NearcastError {
  const allowed = methods.join(", ");
  return new NearcastError("method_not_allowed", `${path} takes ${allowed}.`, {
    headers: { Allow: allowed },
  });
}

function cut(text: string): string {
  return text.length > MAX_ISSUE_TEXT ? `${text.slice(0, MAX_ISSUE_TEXT)}…` : text;
}
