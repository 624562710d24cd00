import type { Platform } from "../platform/types.ts";
import { createSecretReader, secretUnavailable } from "../secret-reader.ts";
import { secretsSchema, type WebhookSecrets } from "./secrets.ts";

/**
 * Gives the secrets that sign a caller's webhooks. There are none where none is configured. Rejects with
 * `store_unavailable` while the platform's secret cannot be read.
 */
export type SecretsOf = (caller: string) => Promise<readonly string[]>;

/** Reads a secret outside the configuration once, when it is first needed. */
export function createSecretsOf({
  config,
  ...platform
}: Pick<Platform, "config" | "readSecret" | "waitUntil">): SecretsOf {
  const source = config.webhooks.secrets;
  const secrets =
    "secretName" in source
      ? createSecretReader({ ...source, open, unreadable }, platform)
      : () => source;

  return async function secretsOf(caller) {
    const known = await secrets();
    return known.get(caller) ?? known.get("*") ?? [];
  };
}

function open(text = "{}"): WebhookSecrets {
  const { data, error } = secretsSchema.safeParse(text);
  if (error) throw secretUnavailable("The secret of webhooks is not usable.", error);
  return data;
}

function unreadable(cause: unknown) {
  return secretUnavailable("The secret of webhooks cannot be read now.", cause);
}
