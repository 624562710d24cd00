import type { Handler, Hono } from "hono";
import { methodNotAllowed, NearcastError } from "../errors.ts";
import { pathOf, type AppEnv } from "./exchange.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** Answers requests without a route: 405 when the path has other methods, 404 otherwise. */
export function notFound({ router }: Hono<AppEnv>): Handler<AppEnv> {
  return function notFound(c) {
    const path = pathOf(c);
    const matched = path === "/" ? path : path.replace(/\/+$/, "");
    // Leaves out middleware, which matches too, for the method ALL.
    const methods = METHODS.filter((method) =>
      router.match(method, matched)[0].some(([[, route]]) => route.method === method),
    );
    const allowed = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : method));
    // An allowed method gets here when an app around this one distinguishes a path with a slash at its end.
    if (allowed.length === 0 || allowed.includes(c.req.method))
      throw new NearcastError("not_found", `There is nothing at ${c.req.path}.`);
    throw methodNotAllowed(c.req.path, allowed);
  };
}
