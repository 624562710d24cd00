import type { Context, MiddlewareHandler } from "hono";
import { ANYONE, NOBODY } from "../../auth/caller.ts";
import { NearcastError } from "../../errors.ts";
import { createDeadline } from "../../load/deadline.ts";
import { readTrace, writeTrace } from "../../observe/trace.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv, Exchange } from "../exchange.ts";
import { jobOf } from "../job-run.ts";
import { isUpload } from "../upload.ts";

/** Answers are data, not pages: browsers must not run, sniff, frame or keep them. */
const SECURITY_HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
};

const REQUEST_ID = "X-Request-Id";
const TIMEOUT = "x-request-timeout-ms";
const WHOLE_NUMBER = /^[1-9]\d{0,9}$/;

/**
 * Begins the exchange, and answers 504 when there is no answer in time. The deployment sets the time. The client may
 * set a shorter one with `X-Request-Timeout-Ms`, in whole milliseconds. Work that others wait for too, such as loading
 * a model, goes on. `before` is the number of the app's handlers that come first.
 */
export function beginRequest(
  platform: Platform,
  before: number,
  { transfer, elsewhere }: Pick<Exchange, "transfer" | "elsewhere"> = {},
): MiddlewareHandler<AppEnv> {
  const { config, isClientGone = () => false, isolatesRequests = false } = platform;
  const { createAnswer, headerReader, readConnection, trailersOf, whenSent } = platform;
  const options = { isolated: isolatesRequests };
  // The caller until authentication finds out who it is.
  const caller = config.auth.mode === "open" ? ANYONE : NOBODY;
  const takesJobs = platform.jobs !== undefined;
  const constant = {
    ...(config.deploymentId !== undefined && { "X-Deployment-Id": config.deploymentId }),
    ...SECURITY_HEADERS,
  };
  return function beginRequest(c, next) {
    const { routeIndex } = c.req;
    const readHeader = headerReader?.(c.env, c.req.raw);
    if (readHeader) c.req.header = readHeader;
    const wrapped = routeIndex > before;
    const id =
      (wrapped ? idOfAnswer(c) : undefined) ??
      readId(c.req.header("x-request-id")) ??
      crypto.randomUUID();
    const isGone = () => isClientGone(c.env);
    const job = jobOf(c.env);
    const longestMs =
      job || (takesJobs && isUpload(c.req)) ? config.jobTimeoutMs : config.requestTimeoutMs;
    const deadline = createDeadline(longestMs, isGone, options);
    const timeout = c.req.header(TIMEOUT);
    if (timeout !== undefined && WHOLE_NUMBER.test(timeout)) deadline.shorten(Number(timeout));
    const trace = readTrace(c.req.header("traceparent"));
    const headers: Record<string, string> = { ...constant, [REQUEST_ID]: id };
    if (trace) headers["traceparent"] = writeTrace(trace);
    const { answerBytes: maxAnswerBytes } = config.limits;
    const sendTrailers = trailersOf?.(c.env);
    c.set("exchange", {
      id,
      deadline,
      headers,
      trace,
      createAnswer,
      sendTrailers,
      whenSent,
      readConnection,
      timeout,
      maxAnswerBytes,
      transfer,
      // The status of gRPC over HTTP/2 is in trailers, which no request from here can read.
      elsewhere: sendTrailers ? undefined : elsewhere,
      takesJobs,
      job,
      caller: job?.caller ?? caller,
      wrapped,
      routeIndex,
    });
    return deadline.within(next());
  };
}

/**
 * Throws `malformed_request` for a time-out that is not a number. It comes after authentication, which refuses first,
 * and after CORS, so that a page can read the error.
 */
export function checkTimeout({ timeout }: Pick<Exchange, "timeout">): void {
  if (timeout !== undefined && !WHOLE_NUMBER.test(timeout))
    throw new NearcastError(
      "malformed_request",
      "X-Request-Timeout-Ms must be a whole number above 0.",
    );
}

/** The id that an app around this one gave the request, from the answer's header. */
function idOfAnswer(c: Context): string | undefined {
  return readId(c.newResponse(null).headers.get(REQUEST_ID) ?? undefined);
}

/** The client's id of the request, if it is safe in a header and in a log. */
function readId(text = ""): string | undefined {
  return /^[\w=-]{1,255}$/.test(text) ? text : undefined;
}
