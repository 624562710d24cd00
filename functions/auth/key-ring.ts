import type { Platform } from "../platform/types.ts";
import type { ApiKey } from "./api-keys.ts";
import type { Caller } from "./caller.ts";

/**
 * Finds the caller whose key has this SHA-256 digest (64 hexadecimal digits). Undefined when there is no such key, or
 * when it has expired.
 */
export type FindCaller = (sha256: string) => Caller | undefined;

/** Like {@link createKeyRing}, but logs a warning for rates that each environment would count for itself. */
export function openKeyRing(keys: readonly ApiKey[], platform: Platform): FindCaller {
  const names = new Set(keys.filter(({ rate }) => rate).map(({ name }) => name));
  if (platform.countsPerInstance && names.size > 0)
    platform.log({
      level: "warn",
      message: `API_KEYS: each environment counts the rates of ${[...names].join(", ")} for itself; RATE_LIMIT_TABLE or REDIS_URL counts for all`,
    });
  return createKeyRing(keys);
}

/** Always compares all digits of all digests, so that the time reveals nothing about the keys. */
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
