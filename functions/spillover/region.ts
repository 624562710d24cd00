import { digest } from "../digest.ts";
import { NearcastError, type ErrorCode } from "../errors.ts";
import { Line, type Place } from "../line.ts";
import type { Deadline } from "../load/deadline.ts";
import type { Platform } from "../platform/types.ts";
import { createCircuitBreaker, type Outcome } from "./circuit-breaker.ts";
import { sendHedged } from "./hedge.ts";
import { watchBody } from "./watched-body.ts";
import { SPILL_HEADER } from "./header.ts";
import { createSpillSecrets } from "./secrets-of.ts";
import type { Spilled } from "./token.ts";

/** A region says with it which error it answers, to the edge that forwarded the request. */
export const ERROR_HEADER = "X-Nearcast-Error";

/** A request that another deployment is to answer. */
export interface RegionRequest {
  id: string;
  method: string;
  /** The path below the app's mount point. */
  path: string;
  /** The query, with its question mark. */
  search: string;
  headers: Record<string, string>;
  body: Uint8Array<ArrayBuffer>;
  spilled: Omit<Spilled, "body">;
  deadline: Deadline;
  /** Aborted when the client goes away. */
  signal: AbortSignal | undefined;
}

/** The answer of the region. Its body may still be on the way. */
export interface RegionAnswer extends Pick<Response, "status" | "headers" | "body"> {
  /** The error that the region answered. */
  code: ErrorCode | undefined;
}

/** Another deployment, with more memory, that answers what this one cannot. */
export interface Region {
  /**
   * Forwards a request. Rejects with `region_unavailable` where the region does not answer with the version that was
   * asked for, with `deadline_exceeded`, `loop_detected`, or with `body_too_large` from a gateway before it.
   */
  ask(request: RegionRequest): Promise<RegionAnswer>;
}

/** Errors of the region itself. Another deployment, or the same one later, could answer. */
const UNANSWERED: ReadonlySet<string> = new Set<ErrorCode>([
  "authentication_not_configured",
  "authentication_unavailable",
  "forbidden",
  "method_not_allowed",
  "not_found",
  "overloaded",
  "shutting_down",
  "store_unavailable",
  "unauthorized",
  "unknown_model",
  "unknown_version",
]);

/** Those that more requests would make worse. */
const FAILING: ReadonlySet<string> = new Set<ErrorCode>([
  "overloaded",
  "shutting_down",
  "store_unavailable",
]);

const RETRY_AFTER_SECONDS = 5;

/** Undefined where no region is configured. */
export function createRegion({
  config: { spill, requestTimeoutMs, maxConcurrency },
  log,
  ...platform
}: Pick<Platform, "config" | "log" | "readSecret" | "waitUntil">): Region | undefined {
  const { url, hedgeMs } = spill;
  if (url === undefined || spill.secrets === undefined) return undefined;
  const secrets = createSpillSecrets(spill.secrets, platform);
  const breaker = createCircuitBreaker();
  // A region that hangs leaves room for models that fit.
  const most = Math.ceil(maxConcurrency / 2);
  const asking = new Line<Deadline>();

  function enter(deadline: Deadline): Place<Deadline> {
    // workerd drops work of clients that went away: their places have no other end than the deadline.
    for (const place of asking) if (place.value.endsAt() <= performance.now()) asking.leave(place);
    if (asking.size >= most) throw unavailable(`It is being asked ${most} times already.`);
    return asking.enter(deadline);
  }

  async function signed(request: RegionRequest): Promise<Record<string, string>> {
    const { id, headers, body, spilled, deadline } = request;
    const { signSpilled } = await import("./token.ts");
    const [secret = ""] = await secrets();
    const token = await signSpilled({ ...spilled, body: await digest(body) }, request, secret);
    return {
      ...headers,
      // Runtimes would decompress the answer, and leave its header fields as they are.
      "accept-encoding": "identity",
      "x-request-id": id,
      "x-request-timeout-ms": String(leftOf(deadline)),
      [SPILL_HEADER.toLowerCase()]: token,
    };
  }

  return {
    async ask(request) {
      request.deadline.check();
      const place = enter(request.deadline);
      const leave = () => void asking.leave(place);
      try {
        return await askOne(request, leave);
      } catch (error) {
        leave();
        throw error;
      }
    },
  };

  /** Calls `leave` when the whole answer is there. */
  async function askOne(request: RegionRequest, leave: () => void): Promise<RegionAnswer> {
    const { id, method, path, search, body, deadline, signal } = request;
    const headers = await signed(request);
    const end = breaker.enter();
    if (!end) throw unavailable("It has failed several times, and is left alone for a moment.");
    const late = AbortSignal.timeout(leftOf(deadline));
    // A client's own short deadlines must not open the breaker for others.
    const lateOutcome = leftOf(deadline) >= requestTimeoutMs / 2 ? "failed" : "unknown";
    let response: Response;
    try {
      const init = {
        method,
        headers,
        ...(hasBody(method) && { body }),
        redirect: "manual" as const,
      };
      const send = (ended: AbortSignal) =>
        fetch(`${url}${path}${search}`, { ...init, signal: ended });
      const ended = signal ? AbortSignal.any([late, signal]) : late;
      response =
        hedgeMs === undefined
          ? await send(ended)
          : await sendHedged(send, { afterMs: hedgeMs, signal: ended });
    } catch (cause) {
      const isGone = signal?.aborted ?? false;
      end(isGone ? "unknown" : late.aborted ? lateOutcome : "failed");
      if (isGone) throw clientGone();
      if (late.aborted) throw tooLate();
      throw unavailable("It cannot be reached.", { cause });
    }
    const code = errorOf(response, request);
    const { status, headers: fields } = response;
    if (code !== undefined || !response.body) {
      end(code === "deadline_exceeded" ? lateOutcome : outcomeOf(code, status));
      if (code === "unauthorized")
        log({ level: "error", message: "The region refuses what SPILL_SECRET signs.", url });
      const passed = await answered(response, code, request);
      leave();
      return { status, headers: fields, body: response.body, code: passed };
    }
    // A body may last until the deadline: the breaker must not wait for it.
    end("answered");
    const watched = watchBody(response.body, (how, cause) => {
      leave();
      if (how !== "cut" || signal?.aborted) return;
      if (!late.aborted || lateOutcome === "failed") breaker.fail();
      if (late.aborted) return;
      const message = "The region's answer did not arrive whole.";
      const failure = { code: "region_unavailable", message, cause: String(cause) };
      log({ level: "error", requestId: id, ...failure });
    });
    return { status, headers: fields, body: watched, code };
  }
}

/** No answer of Nearcast: something before the region answered. */
type Foreign = "foreign";
type Found = ErrorCode | Foreign | "other-version" | undefined;

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  405: "method_not_allowed",
  413: "body_too_large",
  503: "overloaded",
  504: "deadline_exceeded",
  508: "loop_detected",
};

/** What is wrong with an answer. Undefined for an answer of the version that was asked for. */
function errorOf({ status, headers }: Response, { spilled }: RegionRequest): Found {
  const code = headers.get(ERROR_HEADER) as ErrorCode | null;
  if (code) return code;
  if (status >= 400) return BY_STATUS[status] ?? "foreign";
  const digest = headers.get("x-model-digest");
  if (digest === null) return "foreign";
  return digest === `sha256:${spilled.digest}` ? undefined : "other-version";
}

function outcomeOf(found: Found, status: number): Outcome {
  if (found === undefined || found === "other-version") return "answered";
  if (FAILING.has(found)) return "failed";
  if (found !== "foreign") return "answered";
  // What refuses a single request must not open the breaker for others.
  return status >= 400 && status < 500 ? "unknown" : "failed";
}

/** The code of an answer that is given to the client as it is. Rejects for any other answer. */
async function answered(
  { status, body, headers }: Response,
  found: Found,
  { spilled: { model, version } }: RegionRequest,
): Promise<ErrorCode | undefined> {
  const isOwn = found === "foreign" || found === "other-version" || UNANSWERED.has(found ?? "");
  const isEnd = found === "deadline_exceeded" || found === "loop_detected";
  const isGateways = found === "body_too_large" && !headers.has(ERROR_HEADER);
  if (!isOwn && !isEnd && !isGateways) return found;
  await body?.cancel();
  if (found === "deadline_exceeded") throw tooLate();
  if (found === "loop_detected") throw loopDetected();
  if (isGateways)
    throw new NearcastError("body_too_large", "The region takes no body of this length.");
  const asked = `${model} version ${version}`;
  if (found === "other-version") throw unavailable(`It answers with another file than ${asked}.`);
  if (found === "unknown_version" || found === "unknown_model" || found === "not_found")
    throw unavailable(`It does not have ${asked}.`);
  throw unavailable(`It answers ${status}.`);
}

/** The error for a request that was forwarded to where it cannot be answered either. */
export function loopDetected(): NearcastError {
  return new NearcastError(
    "loop_detected",
    "The request was forwarded to a deployment that would forward it too.",
  );
}

/** The error for a region that does not answer. `why` is a sentence about it. */
export function unavailable(why: string, details: { cause?: unknown } = {}): NearcastError {
  const message = `The model is too large for this deployment, and the region that answers it is not available. ${why}`;
  return new NearcastError("region_unavailable", message, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    ...details,
  });
}

/** The error for a client that did not wait for the region. */
export function clientGone(): NearcastError {
  return new NearcastError("client_closed_request", "The client went away.");
}

function tooLate(): NearcastError {
  return new NearcastError("deadline_exceeded", "The region did not answer in time.");
}

/** Whether requests of the method have a body. Runtimes refuse one in a `GET`. */
export function hasBody(method: string): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** Whole milliseconds that are left, at least one. */
export function leftOf(deadline: Deadline): number {
  return Math.max(1, Math.floor(deadline.endsAt() - performance.now()));
}
