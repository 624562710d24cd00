import type { MiddlewareHandler } from "hono";
import { ANYONE, NOBODY } from "../../auth/access.ts";
import { createDeadline } from "../../load/deadline.ts";
import { createPhases } from "../../observe/phases.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";

/** Answers are data and no pages: nothing in them is to be run, sniffed, framed or kept. */
const SECURITY_HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
};

const TIMEOUT = "X-Request-Timeout-Ms";
const WHOLE_NUMBER = /^[1-9]\d{0,9}$/;
const MALFORMED_TIMEOUT = `${TIMEOUT} must be a whole number above 0.`;

/**
 * Makes what is known of a request, and answers 504 when nothing else was answered in the deployment's time,
 * or in the client's own, which `X-Request-Timeout-Ms` gives in whole milliseconds. What was begun for
 * others too (a model being loaded) goes on.
 */
export function beginRequest(platform: Platform): MiddlewareHandler<AppEnv> {
  const { config, now, isClientGone = () => false, isolatesRequests = false } = platform;
  const options = { isolated: isolatesRequests };
  // Until they have said who they are.
  const caller = config.auth.mode === "open" ? ANYONE : NOBODY;
  return function beginRequest(c, next) {
    const requestId = readId(c.req.header("X-Request-Id")) ?? crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("headers", { "X-Request-Id": requestId, ...SECURITY_HEADERS });
    const isGone = () => isClientGone(c.env);
    const deadline = createDeadline(config.requestTimeoutMs, isGone, options);
    c.set("context", { phases: createPhases(now), caller, deadline, request: c.req });
    const timeout = c.req.header(TIMEOUT);
    if (timeout !== undefined) {
      if (WHOLE_NUMBER.test(timeout)) deadline.shorten(Number(timeout));
      else c.get("context").malformed = MALFORMED_TIMEOUT;
    }
    return deadline.within(next());
  };
}

/** The client's id of the request, where it can stand in a header and in a log. */
function readId(text = ""): string | undefined {
  return /^[\w=-]{1,255}$/.test(text) ? text : undefined;
}
