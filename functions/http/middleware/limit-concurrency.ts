import type { Context, MiddlewareHandler, Next } from "hono";
import type { Config } from "../../config.ts";
import { NearcastError } from "../../errors.ts";
import { Line, type Place } from "../../line.ts";
import type { Turns } from "../../load/turns.ts";
import { declaredLength } from "../body.ts";
import type { AppEnv, Exchange } from "../exchange.ts";
import { checkTimeout } from "./begin-request.ts";

/** A body may take this long to arrive even while others wait. */
const MIN_ARRIVAL_MS = 1000;
/** Shorter bodies are not counted. `MAX_CONCURRENCY` bounds them, and long bodies do not keep them out. */
const SHORT_BYTES = 65_536;

/** A request that is being answered, with the bytes of its body that are counted. */
interface Answering {
  exchange: Exchange;
  bytes: number;
}

/**
 * Refuses requests with 503 before their bodies are read: when too many are being answered at once, when their bodies
 * have too many bytes in all, and, during an overload, when the queue for the processor is full. GETs have the same
 * number of places of their own, because they have no slow bodies. It first refuses a time-out that is not a number,
 * with 400.
 */
export function limitConcurrency(
  {
    maxConcurrency,
    requestTimeoutMs,
    bodyBudgetBytes,
    limits,
  }: Pick<Config, "maxConcurrency" | "requestTimeoutMs" | "bodyBudgetBytes" | "limits">,
  turns: Turns | undefined,
): { admit: MiddlewareHandler<AppEnv>; isAnswering: () => boolean } {
  const patienceMs = Math.min(MIN_ARRIVAL_MS, requestTimeoutMs);
  const answering = new Line<Answering>();
  /** The counted bytes of all that are being answered. */
  let total = 0;
  /** Requests without a body. */
  const reading = new Line<Exchange>();

  function leave(place: Place<Answering>): void {
    if (answering.leave(place)) total -= place.value.bytes;
  }

  /** Whether there is no place for one more body of this many counted bytes. A single body may have any size. */
  function isFull(bytes: number): boolean {
    const isOver = bytes > 0 && total > 0 && total + bytes > bodyBudgetBytes;
    return answering.size >= maxConcurrency || isOver;
  }

  /** Whether it helps that a request of so many bytes ends: where there are places, only bytes are missing. */
  function makesRoom(own: number): boolean {
    return own > 0 || answering.size >= maxConcurrency;
  }

  /**
   * Ends the oldest requests whose clients wait for a job, and then the oldest whose body is still arriving. Otherwise
   * clients that only wait, or that send slowly, would keep all others out.
   * Even a request that was answered 504 may never end here: Node does not report that the rest of a body will not
   * come, and workerd drops work that a request still waits for.
   */
  function makeRoom(bytes: number): void {
    for (const { value } of answering) {
      const { received } = value.exchange;
      if (received === undefined || value.bytes === 0) continue;
      total -= value.bytes;
      value.bytes = counted(received.bytes);
      total += value.bytes;
    }
    for (const place of answering) {
      if (!isFull(bytes)) return;
      const { exchange, bytes: own } = place.value;
      if (!exchange.endWait || !makesRoom(own)) continue;
      leave(place);
      exchange.endWait();
    }
    for (const place of answering) {
      const { exchange, bytes: own } = place.value;
      const { deadline, received } = exchange;
      const age = deadline.age();
      if (age < patienceMs) return;
      if (age >= requestTimeoutMs) leave(place);
      else if (!received && isFull(bytes) && makesRoom(own)) {
        leave(place);
        deadline.end(
          new NearcastError("request_timeout", "The body is slow to arrive, and others wait.", {
            retryAfterSeconds: 1,
          }),
        );
      }
    }
  }

  async function answerWithoutBody(exchange: Exchange, next: Next): Promise<void> {
    if (reading.size >= maxConcurrency)
      for (const old of reading)
        if (old.value.deadline.age() >= requestTimeoutMs) reading.leave(old);
    if (reading.size >= maxConcurrency) throw tooMany();
    turns?.running.check();
    const place = reading.enter(exchange);
    try {
      return await next();
    } finally {
      reading.leave(place);
    }
  }

  /** Whether a client waits for a prediction. Those who wait for a job, or still send, need nothing that a job takes. */
  function isAnswering(): boolean {
    for (const place of answering) {
      const { deadline, job, preferred, received } = place.value.exchange;
      if (job || preferred || !received) continue;
      // workerd drops the work of clients that went away: such a request never ends.
      if (deadline.age() < requestTimeoutMs) return true;
      leave(place);
    }
    return false;
  }

  async function admit(c: Context<AppEnv>, next: Next): Promise<void> {
    const exchange = c.get("exchange");
    checkTimeout(exchange);
    if (exchange.job?.partOf) return next();
    if (c.req.method === "GET" || c.req.method === "HEAD") return answerWithoutBody(exchange, next);
    // A body without a declared length may become as long as the limit.
    const length = declaredLength(c) ?? limits.bodyBytes;
    const bytes = counted(Math.min(length, limits.bodyBytes));
    if (isFull(bytes)) makeRoom(bytes);
    if (turns && answering.size >= maxConcurrency) throw turns.overflow();
    if (isFull(bytes)) throw tooMany();
    turns?.running.check();
    const place = answering.enter({ exchange, bytes });
    total += bytes;
    try {
      return await next();
    } finally {
      leave(place);
    }
  }

  return { admit, isAnswering };
}

function counted(bytes: number): number {
  return bytes > SHORT_BYTES ? bytes : 0;
}

function tooMany(): NearcastError {
  return new NearcastError("overloaded", "Too many requests at once; try again later.", {
    retryAfterSeconds: 1,
  });
}
