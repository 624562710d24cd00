import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { NearcastError } from "../../errors.ts";
import type { AppEnv } from "../exchange.ts";
import { declaredLength, notWhole } from "../body.ts";
import { isUpload } from "../upload.ts";

/**
 * Refuses bodies over the limit with 413. Checks a declared length without touching the body: on Node, that would make
 * a full Request object. For bodies without a length, Hono's own middleware counts the bytes.
 */
export function limitBody(maxBytes: number, takesFiles: boolean): MiddlewareHandler<AppEnv> {
  const tooLarge = (): never => {
    throw new NearcastError("body_too_large", `The body may have at most ${maxBytes} bytes.`);
  };
  const countBody = bodyLimit({ maxSize: maxBytes, onError: tooLarge });

  return function limitBody(c, next) {
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    // It is counted while it is stored.
    if (takesFiles && isUpload(c.req)) return next();
    const length = declaredLength(c);
    if (length === undefined)
      return countBody(c, next).catch((cause: unknown) => {
        throw notWhole(cause);
      });
    if (length > maxBytes) tooLarge();
    return next();
  };
}
