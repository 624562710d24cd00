import type { MiddlewareHandler } from "hono";

/**
 * Tells `hono/client` the type of a route's JSON body. It reads nothing: bodies are checked where they are
 * decoded, against the model's manifest.
 */
export function jsonBody<Json>(): MiddlewareHandler<
  object,
  string,
  { in: { json: Json }; out: { json: Json } }
> {
  return (_c, next) => next();
}
