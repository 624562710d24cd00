import type { MiddlewareHandler } from "hono";

/**
 * Gives `hono/client` the type of a route's JSON body. It reads nothing: bodies are checked against the model's
 * manifest when they are decoded.
 */
export function jsonBody<Json>(): MiddlewareHandler<
  object,
  string,
  { in: { json: Json }; out: { json: Json } }
> {
  return (_c, next) => next();
}
