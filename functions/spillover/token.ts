import { decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import * as z from "zod";
import type { Assignment } from "../model/assignment.ts";

const ALGORITHM = "HS256";
const TYPE = "nearcast-spill+jwt";

/** How long a signed request is taken. With the tolerance of clocks, it can be replayed for so long. */
const LIFETIME_SECONDS = 60;
/** How far apart the two clocks may be. */
const CLOCK_TOLERANCE_SECONDS = 10;

const claimsSchema = z.object({
  sub: z.string(),
  htm: z.string(),
  htu: z.string(),
  body: z.string(),
  model: z.string(),
  version: z.string(),
  digest: z.string(),
  reason: z.enum(["stable", "candidate", "named", "override"]),
});

/** What was decided about a request before it was forwarded. */
export interface Spilled {
  /** The name of the caller, who was let in. */
  caller: string;
  model: string;
  /** The version that must answer, and why. */
  version: string;
  reason: Assignment["reason"];
  /** SHA-256 of the version's artifact. */
  digest: string;
  /** SHA-256 of the body as it is sent. */
  body: string;
}

/** The parts of a request that its signature covers besides {@link Spilled}. */
export interface SignedRequest {
  method: string;
  /** The path below the app's mount point. */
  path: string;
  /** The query, with its question mark. */
  search: string;
}

/** Signs a request that is forwarded: a JSON Web Token with the claims `htm` and `htu` of RFC 9449 and the body's digest. */
export function signSpilled(
  { caller, ...claims }: Spilled,
  request: SignedRequest,
  secret: string,
): Promise<string> {
  return new SignJWT({ ...claims, htm: request.method, htu: targetOf(request) })
    .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
    .setSubject(caller)
    .setIssuedAt()
    .setExpirationTime(`${LIFETIME_SECONDS}s`)
    .sign(keyOf(secret));
}

/**
 * Reads the signed header of a request. Undefined if none of the secrets signed it, if its time is over, or if it is of
 * another request. Asks for the secrets only where the rest is right, and rejects as they do. The body is still to be
 * compared with its digest.
 */
export async function readSpilled(
  token: string,
  request: SignedRequest,
  secrets: () => readonly string[] | Promise<readonly string[]>,
): Promise<Spilled | undefined> {
  const claims = claimsOf(token);
  if (claims?.htm !== request.method || claims.htu !== targetOf(request)) return undefined;
  const { sub: caller, htm: _method, htu: _target, ...spilled } = claims;
  for (const secret of await secrets())
    if (await isSigned(token, secret)) return { ...spilled, caller };
  return undefined;
}

/** What a token says, whoever signed it. Undefined for what is no token of this kind. */
function claimsOf(token: string) {
  try {
    const { alg, typ } = decodeProtectedHeader(token);
    if (alg !== ALGORITHM || typ !== TYPE) return undefined;
    return claimsSchema.parse(decodeJwt(token), { jitless: true });
  } catch {
    return undefined;
  }
}

/** WebCrypto compares signatures in constant time. */
async function isSigned(token: string, secret: string): Promise<boolean> {
  try {
    await jwtVerify(token, keyOf(secret), {
      algorithms: [ALGORITHM],
      typ: TYPE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      maxTokenAge: LIFETIME_SECONDS,
      requiredClaims: ["exp"],
    });
    return true;
  } catch {
    return false;
  }
}

const keyOf = (secret: string) => new TextEncoder().encode(secret);

/** The same text for all spellings of an address: gateways decode paths and sort queries. */
function targetOf({ path, search }: SignedRequest): string {
  const query = new URLSearchParams(search);
  query.sort();
  return `${decoded(path)}?${query}`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
