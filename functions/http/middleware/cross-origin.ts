import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "../exchange.ts";

/** The headers of an answer that pages of other origins may read. */
const EXPOSED = [
  "Cache-Status",
  "Inference-Header-Content-Length",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "Server-Timing",
  "WWW-Authenticate",
  "X-Model-Digest",
  "X-Model-Name",
  "X-Model-Version",
  "X-Request-Id",
];

const ALLOWED = [
  "Authorization",
  "Cache-Control",
  "Content-Encoding",
  "Content-Type",
  "Inference-Header-Content-Length",
  "Traceparent",
  "X-API-Key",
  "X-Nearcast-Key",
  "X-Request-Id",
  "X-Request-Timeout-Ms",
];

/**
 * CORS (Fetch standard) for pages of the given origins, or of all with `*`. Requests without an `Origin` skip
 * Hono's middleware, which needs a full Response of each.
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler<AppEnv> {
  const answer = cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowMethods: ["GET", "HEAD", "POST"],
    allowHeaders: ALLOWED,
    exposeHeaders: EXPOSED,
    maxAge: 7200,
  });
  return function crossOrigin(c, next) {
    if (c.req.header("origin") === undefined) return next();
    // Hono's middleware answers preflights, with the headers that Hono knows of.
    if (c.req.method === "OPTIONS")
      for (const [name, value] of Object.entries(c.get("exchange").headers)) c.header(name, value);
    return answer(c, next);
  };
}
