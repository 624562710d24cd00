import type { NearcastClientError } from "./error.ts";

export interface ClientOptions {
  /** An API key or JSON Web Token, sent as `Authorization: Bearer`. */
  key?: string | undefined;
  /** Used instead of the global `fetch`: a service binding's, or a test's. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
  /** Sent with every request. */
  headers?: HeadersInit | undefined;
  /**
   * How often a request is sent again at most; 2 by default. Repeats any request that was refused with 429 or 503 and
   * `Retry-After`. Repeats a request that reads, or that changes nothing the second time (a job with its id, a cancel,
   * feedback), also without an answer and after 502, 503 and 504. Repeats no other.
   */
  maxRetries?: number | undefined;
  /**
   * Gets the error of each call that fails, once and after its retries, before the call rejects with it. What it throws
   * is ignored. It is not called for an aborted signal.
   *
   * @example
   * onError: ({ code, requestId, traceId }) => console.error(code, requestId, traceId);
   */
  onError?: ((error: NearcastClientError) => void) | undefined;
}

/** The options of every call. */
export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason (an `AbortError`). */
  signal?: AbortSignal | undefined;
  /** The longest time for the answer in milliseconds, retries included. The service gets it too and stops then. */
  timeoutMs?: number | undefined;
  /** Your id for the service's log, up to 255 characters of `A-Z a-z 0-9 _ - =`. The service makes one when absent. */
  requestId?: string | undefined;
  /** Your place in a trace (W3C Trace Context), which the service's spans then belong to. */
  traceparent?: string | undefined;
}

/** The options of a call that names a version. */
export interface VersionOptions extends CallOptions {
  /** The version that answers. The released one when absent. */
  version?: string | undefined;
}

export interface PredictOptions<Parameters = Record<string, unknown>> extends VersionOptions {
  /** Parameters of the model's task, such as `{ top_k: 3 }`. */
  parameters?: Parameters | undefined;
}

export interface EmbedOptions extends VersionOptions {
  /** How many numbers of a vector, for a model whose first numbers are a vector of their own. */
  dimensions?: number | undefined;
  /** The kind of numbers. `binary` and `ubinary` pack eight bits into a number. */
  precision?: "float32" | "int8" | "uint8" | "binary" | "ubinary" | undefined;
  /** The name of the model's prompt that goes before each text, such as `query`. */
  promptName?: string | undefined;
}

export interface RerankOptions extends VersionOptions {
  /** How many documents the answer has. All of them when absent. */
  topN?: number | undefined;
  /** Whether scores are the graph's own numbers, without an activation. */
  rawScores?: boolean | undefined;
}

export interface SubmitOptions<
  Parameters = Record<string, unknown>,
> extends PredictOptions<Parameters> {
  /**
   * The job's id: up to 128 characters of `A-Z a-z 0-9 _ . ~ -`. The same id with the same request is the same job, with
   * another one an error. Random when absent.
   */
  id?: string | undefined;
  /** The https address that is told of the job's end, where the deployment allows it. */
  webhook?: string | undefined;
}
