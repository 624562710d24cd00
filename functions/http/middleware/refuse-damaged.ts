import type { MiddlewareHandler } from "hono";
import { NearcastError } from "../../errors.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";

/**
 * Refuses a body in which the platform has replaced bytes: the model would answer for another text. Rejects with
 * `malformed_request`.
 */
export function refuseDamaged(
  hasLostBytes: NonNullable<Platform["hasLostBytes"]>,
): MiddlewareHandler<AppEnv> {
  return function refuseDamaged(c, next) {
    if (!hasLostBytes(c)) return next();
    throw new NearcastError(
      "malformed_request",
      "The body is not UTF-8. The gateway before this function replaces bytes of text that are not UTF-8, in any charset. Send UTF-8, or compress the body (Content-Encoding: gzip), which arrives unchanged.",
    );
  };
}
