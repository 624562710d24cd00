import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "../exchange.ts";

/** What pages of other origins may read of an answer besides its body. */
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
 * CORS (Fetch standard) for pages of the given origins, or of all with `*`. Requests without an `Origin`
 * pass by: Hono's middleware takes a full Response of each.
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
    // Preflights are answered by Hono's middleware, with the headers that Hono knows of.
    if (c.req.method === "OPTIONS")
      for (const [name, value] of Object.entries(c.get("exchange").headers)) c.header(name, value);
    return answer(c, next);
  };
}
