import type { MiddlewareHandler } from "hono";
import { invalidCredentials } from "../../auth/refusals.ts";
import { SPILL_HEADER } from "../../spillover/header.ts";
import type { SpillSecrets } from "../../spillover/secrets-of.ts";
import { pathOf, type AppEnv } from "../exchange.ts";

/**
 * Takes requests that an edge forwards with the shared secret. The edge has found out who asks, and taken from their
 * rate. It has also decided on the version. Rejects with `unauthorized` for another signature, and as the secrets do.
 * Whether the body is the signed one shows when it is read.
 */
export function acceptSpilled(secrets: SpillSecrets): MiddlewareHandler<AppEnv> {
  return async function acceptSpilled(c, next) {
    const token = c.req.header(SPILL_HEADER);
    if (token === undefined) return next();
    const { method, url } = c.req.raw;
    // Only requests that spill pay for loading the code of signatures.
    const { readSpilled } = await import("../../spillover/token.ts");
    const request = { method, path: pathOf(c), search: new URL(url).search };
    const spilled = await readSpilled(token, request, secrets);
    if (!spilled) throw invalidCredentials("The signature of the forwarded request is not valid.");
    const exchange = c.get("exchange");
    exchange.spilled = spilled;
    exchange.caller = {
      name: spilled.caller,
      scopes: new Set(["predict", "read"]),
      // Where a request names no model, the region must find the same as the edge.
      models: new Set([spilled.model]),
    };
    return next();
  };
}
