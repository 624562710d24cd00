import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { ageOf } from "../age.ts";
import { createSingleFlight } from "../model/single-flight.ts";
import type { Platform } from "../platform/types.ts";
import { readAtMost } from "../read-at-most.ts";
import { authenticationUnavailable, RETRY_AFTER_SECONDS } from "./refusals.ts";

/** Longest wait for the issuer. */
const TIMEOUT_MS = 3000;
/** The most bytes of a key set. Ten thousand keys have fewer. */
const MAX_SET_BYTES = 16 * 1024 * 1024;
/** Keys older than this are read again. The old ones work in the meantime. */
const MAX_AGE_MS = 5 * 60_000;
/** Asks the issuer at most once in this time, however many unknown keys arrive. */
const COOLDOWN_MS = RETRY_AFTER_SECONDS * 1000;

/**
 * The keys of an issuer, from its JSON Web Key Set, for jose's `jwtVerify`. For an unknown key, it reads the set again.
 * While the issuer is down, known keys go on working, and others reject with `authentication_unavailable`.
 *
 * jose's own remote set refuses every token when the issuer is down and the set has grown old. On Workers,
 * where no request may wait for another's promise, it reads the set once for each request. This one keeps only
 * sets that have arrived, and a read goes on when the request that began it ends.
 */
export function createIssuerKeys(
  url: string,
  platform: Pick<Platform, "waitUntil" | "log">,
): JWTVerifyGetKey {
  // A read ends after its own time-out. A request that has waited longer waits for a lost read.
  const share = createSingleFlight({ waitUntil: platform.waitUntil, patienceMs: TIMEOUT_MS });
  let known: JWTVerifyGetKey | undefined;
  let readAt = -Infinity;
  let triedAt = -Infinity;
  let failure: unknown;

  async function read(): Promise<void> {
    try {
      const response = await fetch(url, {
        headers: { Accept: "application/json" },
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.status !== 200) throw new Error(`${url} answered with ${response.status}`);
      known = createLocalJWKSet(await readSet(response, url));
      readAt = Date.now();
      failure = undefined;
    } catch (error) {
      failure = error;
      platform.log({ level: "warn", message: "issuer's keys not read", error: String(error) });
    }
    triedAt = Date.now();
  }

  async function readAgain(): Promise<void> {
    if (ageOf(triedAt) >= COOLDOWN_MS) await share("keys", read);
  }

  const lookUp: JWTVerifyGetKey = async (header, token) => {
    if (!known) throw new errors.JWKSNoMatchingKey();
    return known(header, token);
  };

  return async function findKey(header, token) {
    if (known && ageOf(readAt) >= MAX_AGE_MS) void readAgain();
    try {
      return await lookUp(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await readAgain();
    try {
      return await lookUp(header, token);
    } catch (error) {
      if (failure !== undefined && error instanceof errors.JWKSNoMatchingKey)
        throw authenticationUnavailable("The issuer's keys cannot be read now.", failure);
      throw error;
    }
  };
}

async function readSet({ body }: Response, url: string): Promise<JSONWebKeySet> {
  // Some type libraries do not know that the stream can be iterated.
  const stream = body as unknown as AsyncIterable<Uint8Array>;
  const text = new TextDecoder().decode(await readAtMost(stream, MAX_SET_BYTES, url));
  return JSON.parse(text) as JSONWebKeySet;
}
