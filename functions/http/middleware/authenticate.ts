import type { Context, MiddlewareHandler, Next } from "hono";
import type { Caller } from "../../auth/caller.ts";
import { createAuthenticator } from "../../auth/authenticator.ts";
import { invalidCredentials, missingCredentials, notConfigured } from "../../auth/refusals.ts";
import type { AuthSettings } from "../../auth/settings.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";

/** Refuses everyone: the deployment was not told who may ask. */
export const refuseAll: MiddlewareHandler<AppEnv> = function refuseAll() {
  throw notConfigured();
};

/**
 * Lets only callers with a key or token through, and notes who they are. Open routes stand before it, all
 * others behind it.
 */
export function authenticate(
  settings: Extract<AuthSettings, { mode: "required" }>,
  platform: Platform,
): MiddlewareHandler<AppEnv> {
  const authenticator = createAuthenticator(settings, platform);
  return function authenticate(c, next) {
    const credentials = c.req.header("x-api-key") || bearerOf(c.req.header("authorization"));
    const caller = authenticator(credentials);
    if (caller instanceof Promise) return admitLater(c, next, caller);
    c.get("exchange").caller = caller;
    return next();
  };
}

async function admitLater(c: Context<AppEnv>, next: Next, caller: Promise<Caller>): Promise<void> {
  c.get("exchange").caller = await caller;
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
