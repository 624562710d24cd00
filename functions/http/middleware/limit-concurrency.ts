import type { MiddlewareHandler } from "hono";
import type { Admission } from "../../load/admission.ts";
import type { Config } from "../../config.ts";
import { NearcastError } from "../../errors.ts";
import type { AppEnv, Exchange } from "../exchange.ts";
import { checkTimeout } from "./begin-request.ts";

/** A body may take this long to arrive, even while others wait. */
const MIN_ARRIVAL_MS = 1000;

/**
 * Refuses requests with 503 before their bodies are read: when too many are being answered at once, which
 * bounds the memory of their bodies, or when the queue for the processor is full. First it refuses a time-out
 * that is no number, with 400.
 */
export function limitConcurrency(
  { maxConcurrency, requestTimeoutMs }: Pick<Config, "maxConcurrency" | "requestTimeoutMs">,
  admission: Admission | undefined,
): MiddlewareHandler<AppEnv> {
  const patienceMs = Math.min(MIN_ARRIVAL_MS, requestTimeoutMs);
  /** In the order in which they came. */
  const answering = new Set<Exchange>();

  /**
   * A request that was answered 504 may never end here: Node does not say that the rest of a body will not
   * come, and workerd drops what a request still waits for. The oldest request whose body is still coming makes
   * room. Otherwise clients that send slowly would keep all others out.
   */
  function makeRoom(): void {
    for (const exchange of answering) {
      const { deadline, received } = exchange;
      const age = deadline.age();
      if (age < patienceMs) return;
      if (age >= requestTimeoutMs) answering.delete(exchange);
      else if (!received && answering.size >= maxConcurrency) {
        answering.delete(exchange);
        deadline.end(
          new NearcastError("request_timeout", "The body is slow to arrive, and others wait.", {
            retryAfterSeconds: 1,
          }),
        );
      }
    }
  }

  return async function limitConcurrency(c, next) {
    checkTimeout(c);
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    if (answering.size >= maxConcurrency) makeRoom();
    if (answering.size >= maxConcurrency)
      throw new NearcastError("overloaded", "Too many requests at once; try again later.", {
        retryAfterSeconds: 1,
      });
    admission?.check();
    const exchange = c.get("exchange");
    answering.add(exchange);
    try {
      return await next();
    } finally {
      answering.delete(exchange);
    }
  };
}
