import { createDeadline, type Deadline } from "./deadline.ts";
import { errorOf, NearcastClientError, traceIdOf, type RequestIds } from "./error.ts";
import { toJson } from "./json.ts";
import type { CallOptions, ClientOptions } from "./options.ts";

export interface Answer {
  headers: Headers;
  body: Record<string, unknown>;
}

/** One question to the service. */
export interface Question {
  /** Below the service's address. */
  url: URL;
  /** POST with a body, and GET without one, when absent. */
  method?: "POST" | "PUT" | "DELETE";
  body?: unknown;
  /** The members that the answer's body must have. */
  members: readonly string[];
  /** Whether it may be sent again after a try that may have reached the service. What only reads always may. */
  isRepeatable?: boolean;
}

/** A call and its time. Each request of the call is made within it. */
export interface Call extends RequestIds {
  client: ClientOptions;
  options: CallOptions;
  deadline: Deadline;
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

/** Begins a call. Whoever begins it ends its deadline. */
export function beginCall(client: ClientOptions, options: CallOptions = {}): Call {
  const { signal, timeoutMs, requestId = "", traceparent } = options;
  const headers = new Headers(client.headers);
  const traceId = traceIdOf(traceparent ?? headers.get("traceparent"));
  const deadline = createDeadline(signal, timeoutMs, { requestId, traceId });
  return { client, options, deadline, requestId, traceId };
}

/** Runs a whole call. Tells the client's hook when it fails. */
export async function within<Result>(
  client: ClientOptions,
  options: CallOptions | undefined,
  run: (call: Call) => Promise<Result>,
): Promise<Result> {
  const call = beginCall(client, options);
  try {
    return await run(call);
  } catch (error) {
    tell(client, error);
    throw error;
  } finally {
    call.deadline.end();
  }
}

/** Tells the client's hook of a failure. What the hook throws must not hide it. */
export function tell({ onError }: ClientOptions, error: unknown): void {
  if (error instanceof NearcastClientError)
    try {
      onError?.(error);
    } catch {}
}

/** Asks, and repeats where that is safe. Rejects with {@link NearcastClientError} or the signal's reason. */
export async function request(call: Call, question: Question): Promise<Answer> {
  const { deadline } = call;
  deadline.signal.throwIfAborted();
  const { body, method = body === undefined ? "GET" : "POST" } = question;
  const init: RequestInit = { method };
  if (body !== undefined) init.body = await toJson(body);
  const isRepeatable = question.isRepeatable ?? method === "GET";
  for (let attempt = 0; ; attempt += 1)
    try {
      return await ask(call, question, init);
    } catch (error) {
      await deadline.wait(retryWait(call, error, attempt, isRepeatable));
    }
}

async function ask(call: Call, { url, members }: Question, init: RequestInit): Promise<Answer> {
  const [response, text] = await reaching(call, url, async () => {
    const answered = await send(call, url, init);
    return [answered, await answered.text()] as const;
  });
  const answer = parse(text);
  const isComplete = members.every((member) => answer?.[member] !== undefined);
  if (!response.ok || !answer || !isComplete) throw errorOf(response, answer, call);
  return { headers: response.headers, body: answer };
}

/** Begins to read a stream of events. Rejects as {@link request} does, and repeats nothing. */
export async function open(
  call: Call,
  url: URL,
  headers: Record<string, string>,
): Promise<ReadableStream<Uint8Array>> {
  const [response, text] = await reaching(call, url, async () => {
    const answered = await send(call, url, {
      headers: { Accept: "text/event-stream", ...headers },
    });
    const type = answered.headers.get("Content-Type") ?? "";
    const isStream = answered.ok && answered.body && /^text\/event-stream\b/i.test(type);
    return [answered, isStream ? undefined : await answered.text()] as const;
  });
  if (text !== undefined || !response.body) throw errorOf(response, parse(text ?? ""), call);
  return response.body;
}

/** The signal's reason or the error `network` for what fails in this step. */
export async function reaching<Result>(
  { deadline, requestId, traceId }: Call,
  url: URL,
  step: () => Promise<Result>,
): Promise<Result> {
  try {
    return await step();
  } catch (cause) {
    deadline.signal.throwIfAborted();
    const why = cause instanceof Error ? cause.message : String(cause);
    const details = { cause, requestId, traceId };
    throw new NearcastClientError("network", `No answer from ${url.origin}: ${why}`, details);
  }
}

async function send(call: Call, url: URL, init: RequestInit): Promise<Response> {
  const { client, options, deadline } = call;
  const headers = new Headers(client.headers);
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined) headers.set(name, value);
  };
  set("Accept", "application/json");
  if (init.body !== undefined) set("Content-Type", "application/json");
  new Headers(init.headers).forEach((value, name) => set(name, value));
  if (client.key !== undefined) set("Authorization", `Bearer ${client.key}`);
  set("X-Request-Id", options.requestId);
  set("traceparent", options.traceparent);
  const leftMs = Math.ceil(deadline.leftMs());
  if (leftMs < 1e10) set("X-Request-Timeout-Ms", String(Math.max(1, leftMs)));
  const { signal } = deadline;
  return (client.fetch ?? globalThis.fetch)(url.href, { method: "GET", ...init, headers, signal });
}

/** Milliseconds until the request is repeated. Throws the error where it must not be. */
export function retryWait(
  { client: { maxRetries = 2 }, deadline }: Call,
  error: unknown,
  attempt: number,
  isRepeatable: boolean,
): number {
  const waitMs = retryDelay(error, attempt, isRepeatable);
  const longestMs = Math.min(LONGEST_WAIT_MS, deadline.leftMs());
  if (attempt >= maxRetries || waitMs === undefined || waitMs > longestMs) throw error;
  return waitMs;
}

function retryDelay(error: unknown, attempt: number, isRepeatable: boolean): number | undefined {
  if (!(error instanceof NearcastClientError)) return undefined;
  const { status, retryAfterSeconds } = error;
  if (retryAfterSeconds !== undefined && REFUSED.has(status)) return retryAfterSeconds * 1000;
  if (!isRepeatable || !UNANSWERED.has(status)) return undefined;
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
