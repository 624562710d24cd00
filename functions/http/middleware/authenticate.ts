import type { Context, MiddlewareHandler, Next } from "hono";
import type { Caller } from "../../auth/caller.ts";
import { createAuthenticator } from "../../auth/authenticator.ts";
import { invalidCredentials, missingCredentials, notConfigured } from "../../auth/refusals.ts";
import type { AuthSettings } from "../../auth/settings.ts";
import type { Rate } from "../../limits/rate.ts";
import type { Platform } from "../../platform/types.ts";
import type { AppEnv } from "../exchange.ts";
import { limitGuesses } from "./limit-guesses.ts";

/** Refuses everyone but an edge, since the deployment has no setting for who may ask. */
export const refuseAll: MiddlewareHandler<AppEnv> = function refuseAll(c, next) {
  if (c.get("exchange").spilled) return next();
  throw notConfigured();
};

/**
 * Lets only callers with a key or token through, and notes who they are. Open routes come before it, all others after
 * it. A `rate` limits how many wrong keys and tokens an address may send.
 */
export function authenticate(
  settings: Extract<AuthSettings, { mode: "required" }>,
  platform: Platform,
  rate: Rate | undefined,
): MiddlewareHandler<AppEnv> {
  const guesses = rate && limitGuesses(platform, rate);
  const authenticator = createAuthenticator(settings, platform, guesses?.checkToken);

  function identify(c: Context<AppEnv>): Caller | Promise<Caller> {
    const credentials = c.req.header("x-api-key") || bearerOf(c.req.header("authorization"));
    return authenticator(credentials, c);
  }

  return function authenticate(c, next) {
    const { job, spilled } = c.get("exchange");
    // Whose job it is was found when it was made. An edge has checked who asks.
    if (job || spilled) return next();
    let caller: Caller | Promise<Caller>;
    try {
      caller = identify(c);
    } catch (error) {
      throw guesses ? guesses.refuse(c, error) : error;
    }
    if (caller instanceof Promise) {
      const counted = caller.catch((error: unknown) => {
        throw guesses ? guesses.refuse(c, error) : error;
      });
      return admitLater(c, next, counted);
    }
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
