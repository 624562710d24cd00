import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { AppEnv } from "../exchange.ts";

/** The answer's headers that pages of other origins may read. */
const EXPOSED = [
  "Cache-Status",
  "Inference-Header-Content-Length",
  "Location",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "Server-Timing",
  "Traceparent",
  "WWW-Authenticate",
  "X-Model-Assignment",
  "X-Model-Digest",
  "X-Feature-Status",
  "X-Model-Name",
  "X-Model-Version",
  "X-Nearcast-Spillover",
  "X-Request-Id",
];

/** Headers that known clients of these protocols send. A preflight may ask for any other header too. */
const ALLOWED = [
  "Authorization",
  "Cache-Control",
  "Content-Encoding",
  "Content-Type",
  "Inference-Header-Content-Length",
  "Traceparent",
  "X-API-Key",
  "X-Nearcast-Key",
  "X-Nearcast-Version-Override",
  "X-Request-Id",
  "X-Request-Timeout-Ms",
];

/**
 * CORS (Fetch standard) for pages of the given origins, or of all with `*`. They may send any header: SDKs and tracing
 * add a dozen, and no answer depends on a cookie. Requests without an `Origin` skip Hono's middleware, which needs a
 * full Response for each.
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler<AppEnv> {
  const answer = cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    allowHeaders: ALLOWED,
    exposeHeaders: EXPOSED,
    maxAge: 7200,
  });
  return async function crossOrigin(c, next) {
    if (c.req.header("origin") === undefined) return next();
    if (c.req.method !== "OPTIONS") return answer(c, next);
    // Hono's middleware answers preflights, but only with headers that Hono has.
    for (const [name, value] of Object.entries(c.get("exchange").headers)) c.header(name, value);
    const answered = await answer(c, next);
    const asked = c.req.header("access-control-request-headers");
    // Hono merges `c.res` and the returned response. Headers of `c.res` win.
    if (asked) c.res.headers.set("Access-Control-Allow-Headers", withAsked(asked));
    return answered;
  };
}

function withAsked(asked: string): string {
  const known = new Set(ALLOWED.map((name) => name.toLowerCase()));
  const others = asked.split(",").map((name) => name.trim());
  return [...ALLOWED, ...others.filter((name) => !known.has(name.toLowerCase()))].join(",");
}
