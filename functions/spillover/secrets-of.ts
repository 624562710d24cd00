import type { Platform } from "../platform/types.ts";
import { createSecretReader, secretUnavailable } from "../secret-reader.ts";
import { secretsSchema, type SpillSecretSource } from "./secrets.ts";

/** Anybody can send the header that makes a region read the secret. */
const REST_MS = 5000;

/**
 * Gives the secrets. Rejects with `store_unavailable` while the platform's secret cannot be read, does not exist, or is
 * none.
 */
export type SpillSecrets = () => readonly string[] | Promise<readonly string[]>;

/** Reads a secret outside the configuration once, when it is first needed. */
export function createSpillSecrets(
  source: SpillSecretSource,
  platform: Pick<Platform, "readSecret" | "waitUntil">,
): SpillSecrets {
  if (!("secretName" in source)) return () => source;
  return createSecretReader({ ...source, open, unreadable, restMs: REST_MS }, platform);
}

function open(text: string | undefined): readonly string[] {
  if (text === undefined)
    throw secretUnavailable("SPILL_SECRET names a parameter that does not exist.");
  const { data, error } = secretsSchema.safeParse(text);
  if (error) throw secretUnavailable("SPILL_SECRET names a parameter that is not usable.", error);
  return data;
}

function unreadable(cause: unknown) {
  return secretUnavailable("SPILL_SECRET cannot be read now.", cause);
}
