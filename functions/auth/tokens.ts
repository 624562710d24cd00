import { errors, jwtVerify, type JWTVerifyResult } from "jose";
import * as z from "zod";
import { SCOPES, type Caller } from "./caller.ts";
import { NearcastError } from "../errors.ts";
import type { Platform } from "../platform/types.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import { authenticationUnavailable, forbidden, invalidCredentials } from "./refusals.ts";
import type { TokenSettings } from "./settings.ts";

/** Signatures by a private key of the issuer. `none` and shared secrets are not accepted. */
const ALGORITHMS = ["RS256", "ES256", "EdDSA"];

/** How far apart the issuer's clock and this one may be. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** A token that does not name its key is tried with at most this many keys of its algorithm. */
const MAX_KEYS = 8;

const words = z.union([z.array(z.string()), z.string().transform((text) => text.split(" "))]);

const claimsSchema = z.object({
  /** OpenID Connect Core 1.0, section 2: no longer than 255. */
  sub: z.string().min(1).max(255),
  /** RFC 8693, section 4.2. */
  scope: words.optional(),
  /** The name of the same claim at Microsoft and Okta. */
  scp: words.optional(),
  /** The models the token is for. Every model when absent. */
  models: z.array(z.string()).optional(),
});

/**
 * Checks a JSON Web Token: signature, issuer, audience and times. The caller gets the token's scopes, and the
 * models of its claim `models`. Rejects with `unauthorized`, with `forbidden` when the token has no scope of
 * this service, and with `authentication_unavailable` when its key cannot be read now.
 */
export function createTokenVerifier(
  { issuer, audience, jwksUrl }: TokenSettings,
  platform: Pick<Platform, "waitUntil" | "log">,
): (token: string) => Promise<Caller> {
  const keys = createIssuerKeys(jwksUrl, platform);
  const options = {
    issuer,
    audience,
    algorithms: ALGORITHMS,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ["exp"],
  };

  /** Tries each key of the issuer that could have signed the token, as during a rotation. */
  async function verifyWithEach(
    token: string,
    candidates: errors.JWKSMultipleMatchingKeys,
  ): Promise<JWTVerifyResult> {
    let tried = 0;
    for await (const key of candidates) {
      try {
        return await jwtVerify(token, key, options);
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
      tried += 1;
      if (tried === MAX_KEYS) break;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }

  async function verify(token: string): Promise<JWTVerifyResult> {
    try {
      return await jwtVerify(token, keys, options);
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithEach(token, error);
      throw error;
    }
  }

  return async function verifyToken(token) {
    const { payload } = await verify(token).catch(refuse);
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) {
      const claim = claims.error.issues[0]?.path[0];
      throw invalidCredentials(`The token's claim ${String(claim)} is missing or not valid.`);
    }
    const { sub, scope = [], scp = [], models } = claims.data;
    const named = new Set([...scope, ...scp]);
    const scopes = new Set(SCOPES.filter((known) => named.has(known)));
    if (scopes.size === 0)
      throw forbidden(`The token has none of the scopes ${SCOPES.join(", ")}.`);
    return { name: `jwt:${sub}`, scopes, ...(models && { models: new Set(models) }) };
  };
}

function refuse(error: unknown): never {
  if (error instanceof NearcastError) throw error;
  if (error instanceof errors.JOSEError) throw invalidCredentials(reasonOf(error), error);
  // jose's own errors are the token's fault. Any other error means that a key of the issuer cannot be used.
  throw authenticationUnavailable("The issuer's key cannot be used.", error);
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return "The token has expired.";
  if (error instanceof errors.JWTClaimValidationFailed)
    return `The token's claim ${error.claim} is missing or not valid.`;
  if (error instanceof errors.JOSEAlgNotAllowed)
    return `The token must be signed with one of ${ALGORITHMS.join(", ")}.`;
  if (error instanceof errors.JWKSNoMatchingKey)
    return "The token is signed with a key that the issuer does not have.";
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return "The token's signature is not right.";
  return "The token is not valid.";
}
