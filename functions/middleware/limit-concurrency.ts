import type { MiddlewareHandler } from "hono";
import type { Admission } from "../admission.ts";
import { NearcastError } from "../errors.ts";

/**
 * Refuses work with 503 before its body is read: when as many requests are being answered as there may
 * be at once, which bounds the memory of their bodies, or when the queue for the processor is full.
 */
export function limitConcurrency(
  maxConcurrency: number,
  admission: Admission | undefined,
): MiddlewareHandler {
  let answering = 0;
  return async function limitConcurrency(c, next) {
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    if (answering >= maxConcurrency)
      throw new NearcastError("overloaded", "Too many requests at once; try again later.", {
        retryAfterSeconds: 1,
      });
    admission?.check();
    answering += 1;
    try {
      return await next();
    } finally {
      answering -= 1;
    }
  };
}
