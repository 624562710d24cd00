import { apiKey, keyList } from "../auth/keys.ts";

/** So high that it refuses nobody. */
const RATE = { limit: 999_999_999, period: 60 } as const;

const caller = apiKey("attacker", {
  scopes: ["predict", "read", "admin"],
  rate: `${RATE.limit}/${RATE.period}s`,
});

/** Whoever attacks has a key, or few requests would come past authentication. */
export const AUTHORIZATION: [name: string, value: string] = [
  "Authorization",
  `Bearer ${caller.key}`,
];

/** A target that knows the key. */
export const CALLER_ENV = { AUTH: "", API_KEYS: keyList(caller) };
export const CALLER_RATE_LIMITS = { [`RATE_LIMIT_${RATE.limit}_${RATE.period}`]: RATE };
