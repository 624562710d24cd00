import type { MiddlewareHandler } from "hono";

/**
 * Answers are data and no pages: nothing in them is to be run, sniffed, framed or kept. They are set
 * before the answer is made, since setting them on a finished one costs a copy of it.
 */
export const securityHeaders: MiddlewareHandler = function securityHeaders(c, next) {
  c.header("Cache-Control", "no-store");
  c.header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  c.header("Strict-Transport-Security", "max-age=31536000");
  c.header("X-Content-Type-Options", "nosniff");
  return next();
};
