import { NearcastError } from "../errors.ts";
import type { Platform } from "../platform/types.ts";
import { secretsSchema, type SpillSecretSource } from "./secrets.ts";

/** Gives the secrets. Rejects with `store_unavailable` while the platform's secret cannot be read, or is none. */
export type SpillSecrets = () => Promise<readonly string[]>;

/** Reads a secret outside the configuration once, when it is first needed. */
export function createSpillSecrets(
  source: SpillSecretSource,
  { readSecret }: Pick<Platform, "readSecret">,
): SpillSecrets {
  let known = "secretName" in source ? undefined : source;
  return async function spillSecrets() {
    if (known) return known;
    const { secretName } = source as { secretName: string };
    try {
      known = secretsSchema.parse(await readSecret(secretName));
      return known;
    } catch (cause) {
      throw new NearcastError("store_unavailable", "SPILL_SECRET cannot be read now.", {
        cause,
        retryAfterSeconds: 5,
      });
    }
  };
}
