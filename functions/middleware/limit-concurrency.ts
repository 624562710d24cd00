import type { MiddlewareHandler } from "hono";
import type { Admission } from "../admission.ts";
import type { Config } from "../config.ts";
import type { Deadline } from "../deadline.ts";
import { NearcastError } from "../errors.ts";
import type { AppEnv } from "../request-context.ts";

/**
 * Refuses work with 503 before its body is read: when as many requests are being answered as there may
 * be at once, which bounds the memory of their bodies, or when the queue for the processor is full. Before that,
 * header fields that are malformed with 400.
 */
export function limitConcurrency(
  { maxConcurrency, requestTimeoutMs }: Pick<Config, "maxConcurrency" | "requestTimeoutMs">,
  admission: Admission | undefined,
): MiddlewareHandler<AppEnv> {
  /** By their deadlines, in the order of their coming. */
  const answering = new Set<Deadline>();

  /**
   * A request that was answered 504 may never come to its end here: Node does not say that the rest of a
   * body will not come, and workerd drops what a request still waits for.
   */
  function forgetOverdue(): void {
    for (const deadline of answering) {
      if (deadline.age() < requestTimeoutMs) return;
      answering.delete(deadline);
    }
  }

  return async function limitConcurrency(c, next) {
    const { deadline, malformed } = c.get("context");
    // Not where they were read: who may not ask is told that first, and a page can read this answer.
    if (malformed !== undefined) throw new NearcastError("malformed_request", malformed);
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    if (answering.size >= maxConcurrency) forgetOverdue();
    if (answering.size >= maxConcurrency)
      throw new NearcastError("overloaded", "Too many requests at once; try again later.", {
        retryAfterSeconds: 1,
      });
    admission?.check();
    answering.add(deadline);
    try {
      return await next();
    } finally {
      answering.delete(deadline);
    }
  };
}
