import type { Hono, MiddlewareHandler } from "hono";
import { basePath } from "hono/route";
import { mountedAt, type AppEnv } from "../exchange.ts";

/**
 * A slash at the end is no other place: some clients ask for `/v2/`. By itself an app sees to that in its router;
 * an app around it has a router of its own, which tells `/ml/v2/` from `/ml/v2`. Such a request is answered as if
 * the app were not mounted.
 */
export function acceptSlash(app: Hono<AppEnv>): MiddlewareHandler<AppEnv> {
  return function acceptSlash(c, next) {
    if (!c.req.path.endsWith("/")) return next();
    const base = basePath(c).replace(/\/+$/, "");
    const url = new URL(c.req.url);
    if (base === "" || !url.pathname.startsWith(`${base}/`)) return next();
    url.pathname = url.pathname.slice(base.length);
    const request = new Request(url, c.req.raw);
    mountedAt.set(request, base);
    // Hono copies the header fields that were set by now from here to the answer.
    const id = c.res.headers.get("X-Request-Id");
    if (id !== null) request.headers.set("X-Request-Id", id);
    return app.fetch(request, c.env) as Promise<Response>;
  };
}
