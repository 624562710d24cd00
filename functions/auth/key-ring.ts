import type { Platform } from "../platform/types.ts";
import type { ApiKey } from "./api-keys.ts";
import type { Caller } from "./caller.ts";

/**
 * The caller whose key has this SHA-256 digest (64 hexadecimal digits). Undefined when there is none, or when
 * it has expired.
 */
export type FindCaller = (sha256: string) => Caller | undefined;

/** Like {@link createKeyRing}, and logs which rates are not what they seem, and what they need. */
export function openKeyRing(keys: readonly ApiKey[], platform: Platform): FindCaller {
  const names = new Set(keys.filter(({ rate }) => rate).map(({ name }) => name));
  if (platform.countsPerInstance && names.size > 0)
    platform.log({
      level: "warn",
      message: `API_KEYS: each environment counts the rates of ${[...names].join(", ")} for itself; RATE_LIMIT_TABLE or REDIS_URL counts for all`,
    });
  return createKeyRing(keys);
}

/** Compares every digest to its last digit, whatever matches: the time tells nothing about the keys. */
export function createKeyRing(keys: readonly ApiKey[]): FindCaller {
  const entries = keys.map((key) => ({
    sha256: key.sha256,
    expires: key.expires === undefined ? Infinity : Date.parse(key.expires),
    caller: callerOf(key),
  }));
  return function findCaller(sha256) {
    let found: (typeof entries)[number] | undefined;
    for (const entry of entries) {
      let difference = 0;
      for (let index = 0; index < DIGITS; index++)
        difference |= entry.sha256.charCodeAt(index) ^ sha256.charCodeAt(index);
      if (difference === 0) found = entry;
    }
    return found && Date.now() < found.expires ? found.caller : undefined;
  };
}

const DIGITS = 64;

function callerOf({ name, scopes, models, rate }: ApiKey): Caller {
  return {
    name,
    scopes: new Set(scopes),
    ...(models && { models: new Set(models) }),
    ...(rate && { rate }),
  };
}
