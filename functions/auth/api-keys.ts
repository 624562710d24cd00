import * as z from "zod";
import { SCOPES, type Caller } from "./caller.ts";
import { rateSchema } from "../limits/rate.ts";
import { NAME_PATTERN } from "../model/name.ts";
import type { Platform } from "../platform/types.ts";

const name = z.string().regex(NAME_PATTERN, "must be a name: letters, digits, dots and dashes");

const keySchema = z.strictObject({
  name,
  /** Of the key, in hexadecimal: the key itself is nowhere in the configuration. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, "must be 64 hexadecimal digits")
    .toLowerCase(),
  scopes: z.array(z.enum(SCOPES)).min(1).default(["predict", "read"]),
  /** The models the key may use; all of them when absent. */
  models: z.array(name).min(1).optional(),
  rate: rateSchema.optional(),
  /** The key works until then; a date is its first moment in UTC. */
  expires: z
    .union([z.iso.datetime({ offset: true }), z.iso.date()], {
      error: "must be like 2027-01-31 or 2027-01-31T12:00:00Z",
    })
    .optional(),
});

/** One entry of `API_KEYS`, as it is written there. */
export type ApiKeyEntry = z.input<typeof keySchema>;
export type ApiKey = z.output<typeof keySchema>;

/**
 * `API_KEYS`: a JSON array of entries. Entries with the same name are one caller whose key is being
 * rotated, and differ in nothing but key and expiry.
 */
export const apiKeysSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      // Without the parser's own message, which quotes the text.
      context.addIssue({ code: "custom", message: "must be a JSON array of keys" });
      return z.NEVER;
    }
  })
  .pipe(z.array(keySchema))
  .superRefine((keys, context) => {
    const byName = new Map<string, ApiKey>();
    const digests = new Set<string>();
    for (const [index, key] of keys.entries()) {
      const first = byName.get(key.name) ?? key;
      byName.set(key.name, first);
      if (rights(first) !== rights(key))
        context.addIssue({
          code: "custom",
          path: [index, "name"],
          message: "is used twice: keys in rotation have the same scopes, models and rate",
        });
      if (digests.has(key.sha256))
        context.addIssue({ code: "custom", path: [index, "sha256"], message: "is there twice" });
      digests.add(key.sha256);
    }
  });

function rights({ scopes, models, rate }: ApiKey): string {
  return JSON.stringify([scopes.toSorted(), models?.toSorted(), rate]);
}

/** The caller whose key has this SHA-256 digest, 64 hexadecimal digits; undefined for none, or an expired one. */
export type FindCaller = (sha256: string) => Caller | undefined;

/** As {@link createKeyRing}; says in the log which rates are not what they seem, and what they need. */
export function openKeyRing(keys: readonly ApiKey[], platform: Platform): FindCaller {
  const names = new Set(keys.filter(({ rate }) => rate).map(({ name }) => name));
  if (platform.countsAlone && names.size > 0)
    platform.log({
      level: "warn",
      message: `API_KEYS: each environment counts the rates of ${[...names].join(", ")} for itself; RATE_LIMIT_TABLE or REDIS_URL counts for all`,
    });
  return createKeyRing(keys);
}

/** Every digest is compared to its last digit, whatever matches: the time says nothing about the keys. */
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
