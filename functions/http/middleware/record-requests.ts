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

/** Clients make paths up: further and longer ones are not kept. */
const MOST_PATHS = 1000;
const LONGEST_PATH = 200;

/** Gives what {@link routeOf} gives. Hono makes a list of all handlers for that, which takes about a microsecond. */
function createRouteOf(): (c: Context) => string | undefined {
  const known = new Map<string, { method: string; index: number; route: string | undefined }>();
  return (c) => {
    const { method, path, routeIndex: index } = c.req;
    const last = known.get(path);
    if (last?.method === method && last.index === index) return last.route;
    const route = routeOf(c);
    if (path.length > LONGEST_PATH) return route;
    if (known.size >= MOST_PATHS) known.clear();
    known.set(path, { method, index, route });
    return route;
  };
}

/** Makes a record of every request after it is answered. */
export function recordRequests(
  tell: (record: RequestRecord) => void,
  now: (() => number) | undefined,
): MiddlewareHandler<AppEnv> {
  const route = createRouteOf();
  let cold = true;
  // Every request comes through here: one promise is cheaper than an async function.
  return function recordRequests(c, next) {
    const isCold = cold;
    cold = false;
    const start = now?.() ?? 0;
    return next().then(() => tellOf(c, isCold, start));
  };

  function tellOf(c: Context<AppEnv>, isCold: boolean, start: number): void {
    const { id, trace, caller, error, record, job } = c.get("exchange");
    if (job?.partOf) return;
    const { status } = c.res;
    tell({
      id,
      trace,
      method: c.req.method,
      path: c.req.path,
      route: route(c),
      // gRPC answers errors with 200, and has them in the trailers.
      status: error && status === 200 ? error.status : status,
      caller: caller.name,
      error: error && { code: error.code, message: error.message },
      milliseconds: now && microsecondSteps(now() - start),
      cold: isCold,
      call: record,
    });
  }
}
