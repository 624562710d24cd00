import type { Context } from "hono";

/** Header fields that belong to a connection, or that say who asks and not what. */
const NOT_KEPT = new Set([
  "connection",
  "content-length",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "origin",
  "prefer",
  "referer",
  "te",
  "trailer",
  "transfer-encoding",
  "true-client-ip",
  "upgrade",
  "user-agent",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-nearcast-webhook",
  "x-nearcast-webhook-events",
  "x-real-ip",
  "x-request-timeout-ms",
]);
/** Credentials, also those of gateways and clouds that are not known here. */
const SECRET =
  /(^|-)(auth|authorization|cookie|credentials?|jwt|(api)?key|password|secret|session|signature|token)(-|$)/;
const NOT_KEPT_PREFIXES =
  /^(x-forwarded-|x-original-|cf-|sec-|cloudfront-|fastly-|x-amzn-oidc-|x-goog-)/;

/** The header fields of a request that say what is asked: without the client's credentials and connection. */
export function requestFields({ req }: Context): Record<string, string> {
  const fields = Object.entries(req.header());
  return Object.fromEntries(
    fields.filter(
      ([name]) =>
        !NOT_KEPT.has(name) &&
        !NOT_KEPT_PREFIXES.test(name) &&
        // It is no credential, but says whose version it is.
        (!SECRET.test(name) || name === "x-nearcast-key"),
    ),
  );
}
