import type { MiddlewareHandler } from "hono";
import { ANYONE, NOBODY } from "../access.ts";
import { createDeadline } from "../deadline.ts";
import { NearcastError } from "../errors.ts";
import { createPhases } from "../phases.ts";
import type { Platform } from "../platform/types.ts";
import type { AppEnv } from "../request-context.ts";

const HEADER = "X-Request-Timeout-Ms";

/**
 * Makes the request's context, and answers 504 when nothing else was answered in the deployment's time,
 * or in the client's own, which `X-Request-Timeout-Ms` gives in whole milliseconds. What was begun for
 * others too (a model being loaded) goes on.
 */
export function beginRequest(platform: Platform): MiddlewareHandler<AppEnv> {
  const { config, now, isClientGone = () => false } = platform;
  // Until they have said who they are.
  const caller = config.auth.mode === "open" ? ANYONE : NOBODY;
  return function beginRequest(c, next) {
    const deadline = createDeadline(config.requestTimeoutMs, () => isClientGone(c.env));
    c.set("context", { phases: createPhases(now), caller, deadline, request: c.req });
    const given = c.req.header(HEADER);
    if (given !== undefined) deadline.shorten(readTimeout(given));
    return deadline.within(next());
  };
}

function readTimeout(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new NearcastError("malformed_request", `${HEADER} must be a whole number above 0.`);
}
