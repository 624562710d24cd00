import * as z from "zod";
import { SCOPES } from "./caller.ts";
import { rateSchema } from "../limits/rate.ts";
import { NAME_PATTERN } from "../model/name.ts";

const name = z.string().regex(NAME_PATTERN, "must be a name: letters, digits, dots and dashes");

const keySchema = z.strictObject({
  name,
  /** The key's digest in hexadecimal. The configuration never has the key itself. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, "must be 64 hexadecimal digits")
    .toLowerCase(),
  scopes: z.array(z.enum(SCOPES)).min(1).default(["predict", "read"]),
  /** The models the key may use; all of them when absent. */
  models: z.array(name).min(1).optional(),
  rate: rateSchema.optional(),
  /** When the key stops working. A date means its first moment in UTC. */
  expires: z
    .union([z.iso.datetime({ offset: true }), z.iso.date()], {
      error: "must be like 2027-01-31 or 2027-01-31T12:00:00Z",
    })
    .optional(),
});

/** One entry of `API_KEYS` as it is written there. */
export type ApiKeyEntry = z.input<typeof keySchema>;
export type ApiKey = z.output<typeof keySchema>;

/**
 * `API_KEYS`: a JSON array of entries. Entries with the same name are one caller whose key is being rotated.
 * They differ only in key and expiry.
 */
export const apiKeysSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      // Leaves out the parser's message: it quotes the secret text.
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
