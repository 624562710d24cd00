import type { Hono, MiddlewareHandler } from "hono";
import { basePath } from "hono/route";
import { mountedAt, type AppEnv } from "../exchange.ts";

/**
 * Answers a path with a slash at the end as the path without it, because some clients ask for `/v2/`. An app's own
 * router does this. But if the app is mounted in another, that app's router treats `/ml/v2/` and `/ml/v2` as different.
 * Then the request is answered as if the app were not mounted. All other requests go to `others`: each handler that Hono
 * calls costs about half a microsecond.
 */
export function acceptSlash(
  app: Hono<AppEnv>,
  others: MiddlewareHandler<AppEnv>,
): MiddlewareHandler<AppEnv> {
  return function acceptSlash(c, next) {
    if (!c.req.path.endsWith("/")) return others(c, next);
    const base = basePath(c).replace(/\/+$/, "");
    const url = new URL(c.req.url);
    if (base === "" || !url.pathname.startsWith(`${base}/`)) return others(c, next);
    url.pathname = url.pathname.slice(base.length);
    const request = new Request(url, c.req.raw);
    mountedAt.set(request, base);
    // Hono copies the header fields that are set so far to the answer.
    const id = c.res.headers.get("X-Request-Id");
    if (id !== null) request.headers.set("X-Request-Id", id);
    return app.fetch(request, c.env) as Promise<Response>;
  };
}
