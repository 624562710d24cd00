import type { MiddlewareHandler } from "hono";

/**
 * Tells `hono/client` what a route's JSON body is. It reads nothing: bodies are checked where they are
 * decoded, against the model's manifest and not against a type.
 */
export function jsonBody<Json>(): MiddlewareHandler<
  object,
  string,
  { in: { json: Json }; out: { json: Json } }
> {
  return (_c, next) => next();
}
