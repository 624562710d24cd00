import { NearcastError } from "../errors.ts";

const REALM = 'Bearer realm="nearcast"';

/** 401 for a request without credentials. RFC 6750 sends no `error` then. */
export function missingCredentials(): NearcastError {
  return new NearcastError(
    "unauthorized",
    "This needs a key or token: send Authorization: Bearer … or X-API-Key.",
    { headers: { "WWW-Authenticate": REALM } },
  );
}

/** 401 for credentials that are not valid. The reason must not have quotes or backslashes. */
export function invalidCredentials(reason: string, cause?: unknown): NearcastError {
  return new NearcastError("unauthorized", reason, {
    headers: {
      "WWW-Authenticate": `${REALM}, error="invalid_token", error_description="${reason}"`,
    },
    cause,
  });
}

/** 403. Names the scope, where a scope is missing. */
export function forbidden(detail: string, scope?: string): NearcastError {
  const missing = scope === undefined ? "" : `, scope="${scope}"`;
  return new NearcastError("forbidden", detail, {
    headers: { "WWW-Authenticate": `${REALM}, error="insufficient_scope"${missing}` },
  });
}

/** 503 of a deployment with no setting for who may use it. */
export function notConfigured(): NearcastError {
  return new NearcastError(
    "authentication_not_configured",
    "This deployment answers nobody until API_KEYS, or JWT_ISSUER and JWT_AUDIENCE, are set; AUTH=none opens it to everyone.",
  );
}

/** 503 while keys cannot be read, so that the credentials cannot be checked. */
export function authenticationUnavailable(detail: string, cause?: unknown): NearcastError {
  return new NearcastError("authentication_unavailable", detail, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause,
  });
}

export const RETRY_AFTER_SECONDS = 5;
