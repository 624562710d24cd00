import { createDeadline, type Deadline } from "./deadline.ts";
import { errorOf, NearcastClientError } from "./error.ts";
import { toJson } from "./json.ts";

export interface ClientOptions {
  /** An API key or JSON Web Token, sent as `Authorization: Bearer`. */
  key?: string | undefined;
  /** Used instead of the global `fetch`: a service binding's, or a test's. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Sent with every request. */
  headers?: HeadersInit | undefined;
  /**
   * How often a request is sent again at most; 2 by default. Repeats any request that was refused with 429 or 503 and
   * `Retry-After`. Repeats a request that only reads also without an answer and after 502, 503 and 504. Repeats no
   * other.
   */
  maxRetries?: number | undefined;
}

/** The options of every call. */
export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason (an `AbortError`). */
  signal?: AbortSignal | undefined;
  /** The longest time for the answer in milliseconds, retries included. The service gets it too and stops then. */
  timeoutMs?: number | undefined;
  /** Your id for the service's log, up to 255 characters of `A-Z a-z 0-9 _ - =`. The service makes one when absent. */
  requestId?: string | undefined;
}

export interface Answer {
  headers: Headers;
  body: Record<string, unknown>;
}

/** One question to the service. */
export interface Question {
  /** Below the service's address. */
  url: URL;
  /** Sent by POST. Without it, the request is a GET. */
  body?: unknown;
  /** The members that the answer's body must have. */
  members: readonly string[];
}

/** Longer waits are left to the caller, who sees them in `retryAfterSeconds`. */
const LONGEST_WAIT_MS = 60_000;
/**
 * The first wait without `Retry-After`. It doubles each time and is shortened at random, so that pages do not all come
 * back at once.
 */
const FIRST_WAIT_MS = 250;
const UNANSWERED = new Set([0, 502, 503, 504]);
const REFUSED = new Set([429, 503]);

/** Asks, and repeats where that is safe. Rejects with {@link NearcastClientError} or the signal's reason. */
export async function request(
  client: ClientOptions,
  question: Question,
  options: CallOptions = {},
): Promise<Answer> {
  const { maxRetries = 2 } = client;
  const deadline = createDeadline(options.signal, options.timeoutMs);
  try {
    deadline.signal.throwIfAborted();
    const body = question.body === undefined ? undefined : await toJson(question.body);
    for (let attempt = 0; ; attempt += 1)
      try {
        return await ask(client, question, body, options, deadline);
      } catch (error) {
        const waitMs = retryDelay(error, attempt, body === undefined);
        const longestMs = Math.min(LONGEST_WAIT_MS, deadline.leftMs());
        if (attempt >= maxRetries || waitMs === undefined || waitMs > longestMs) throw error;
        await deadline.wait(waitMs);
      }
  } finally {
    deadline.end();
  }
}

async function ask(
  client: ClientOptions,
  { url, members }: Question,
  body: string | undefined,
  { requestId }: CallOptions,
  deadline: Deadline,
): Promise<Answer> {
  const headers = new Headers(client.headers);
  headers.set("Accept", "application/json");
  if (client.key !== undefined) headers.set("Authorization", `Bearer ${client.key}`);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (requestId !== undefined) headers.set("X-Request-Id", requestId);
  const leftMs = Math.ceil(deadline.leftMs());
  if (leftMs < 1e10) headers.set("X-Request-Timeout-Ms", String(Math.max(1, leftMs)));
  const { signal } = deadline;
  const send = client.fetch ?? globalThis.fetch;
  let response: Response;
  let text: string;
  try {
    const init: RequestInit = { method: "GET", headers, signal };
    if (body !== undefined) Object.assign(init, { method: "POST", body });
    response = await send(url.href, init);
    text = await response.text();
  } catch (cause) {
    signal.throwIfAborted();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NearcastClientError("network", `No answer from ${url.origin}: ${why}`, { cause });
  }
  const answer = parse(text);
  const isComplete = members.every((member) => answer?.[member] !== undefined);
  if (!response.ok || !answer || !isComplete) throw errorOf(response, answer);
  return { headers: response.headers, body: answer };
}

/** Milliseconds until the request may be repeated. Undefined when it must not be. */
function retryDelay(error: unknown, attempt: number, isRead: boolean): number | undefined {
  if (!(error instanceof NearcastClientError)) return undefined;
  const { status, retryAfterSeconds } = error;
  if (retryAfterSeconds !== undefined && REFUSED.has(status)) return retryAfterSeconds * 1000;
  if (!isRead || !UNANSWERED.has(status)) return undefined;
  return FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random() / 2);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
