import type { Context, MiddlewareHandler, Next } from "hono";
import type { Caller } from "../../auth/access.ts";
import { createAuthenticator } from "../../auth/authenticator.ts";
import { invalidCredentials, missingCredentials, notConfigured } from "../../auth/refusals.ts";
import type { AuthSettings } from "../../auth/settings.ts";
import { DOCUMENTATION_ASSETS, type Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";
import { HEALTH_PATHS } from "../../model/ready.ts";

/** What whoever has no key may ask where keys are asked for: health, and the page to enter a key in. */
export const OPEN_PATHS = new Set([
  ...HEALTH_PATHS,
  "/docs",
  "/docs/start.js",
  ...DOCUMENTATION_ASSETS.map((name) => `/docs/${name}`),
]);

/**
 * Lets through only whoever has a key or token, and notes the caller in the request's context. It stands
 * before every route and compares the very path that the router does: a route is open only by being in
 * {@link OPEN_PATHS}.
 */
export function authenticate(
  settings: Exclude<AuthSettings, { mode: "open" }>,
  platform: Platform,
): MiddlewareHandler<AppEnv> {
  if (settings.mode === "closed") {
    return function refuse(c, next) {
      if (HEALTH_PATHS.has(c.req.path)) return next();
      throw notConfigured();
    };
  }

  const authenticator = createAuthenticator(settings, platform);
  return function authenticate(c, next) {
    if (OPEN_PATHS.has(c.req.path)) return next();
    const credentials = c.req.header("x-api-key") || bearerOf(c.req.header("authorization"));
    const caller = authenticator(credentials);
    if (caller instanceof Promise) return admitLater(c, next, caller);
    c.get("context").caller = caller;
    return next();
  };
}

async function admitLater(c: Context<AppEnv>, next: Next, caller: Promise<Caller>): Promise<void> {
  c.get("context").caller = await caller;
  return next();
}

const BEARER = /^bearer +([^ ]+)$/i;

/** The credentials of an `Authorization` header (RFC 6750, section 2.1). */
function bearerOf(header: string | undefined): string {
  if (header === undefined) throw missingCredentials();
  const credentials = BEARER.exec(header)?.[1];
  if (credentials === undefined)
    throw invalidCredentials("The Authorization header must be Bearer and a key or token.");
  return credentials;
}
