import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { RequestRecord } from "../../observe/observer.ts";
import { microsecondSteps } from "../../observe/phases.ts";
import type { AppEnv } from "../exchange.ts";

/** The pattern of the handler that ran last. Those of middleware and of unknown paths are wildcards. */
function routeOf(c: Context): string | undefined {
  const path = routePath(c);
  return path.endsWith("*") ? undefined : path;
}

/** Makes a record of every request after it is answered. */
export function recordRequests(
  tell: (record: RequestRecord) => void,
  now: (() => number) | undefined,
): MiddlewareHandler<AppEnv> {
  let cold = true;
  return async function recordRequests(c, next) {
    const isCold = cold;
    cold = false;
    const start = now?.() ?? 0;
    await next();
    const { id, trace, caller, error, record } = c.get("exchange");
    tell({
      id,
      trace,
      method: c.req.method,
      path: c.req.path,
      route: routeOf(c),
      status: c.res.status,
      caller: caller.name,
      error: error && { code: error.code, message: error.message },
      milliseconds: now && microsecondSteps(now() - start),
      cold: isCold,
      call: record,
    });
  };
}
