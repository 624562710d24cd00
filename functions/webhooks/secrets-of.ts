import { NearcastError } from "../errors.ts";
import type { Platform } from "../platform/types.ts";
import { secretsSchema, type WebhookSecrets } from "./secrets.ts";

const RETRY_AFTER_SECONDS = 5;

/**
 * Gives the secrets that sign a caller's webhooks. There are none where none is configured. Rejects with
 * `store_unavailable` while the platform's secret cannot be read.
 */
export type SecretsOf = (caller: string) => Promise<readonly string[]>;

/** Reads a secret outside the configuration once, when it is first needed. */
export function createSecretsOf({
  config,
  readSecret,
}: Pick<Platform, "config" | "readSecret">): SecretsOf {
  const source = config.webhooks.secrets;
  let known: WebhookSecrets | undefined = "secretName" in source ? undefined : source;

  async function read(name: string): Promise<WebhookSecrets> {
    try {
      return secretsSchema.parse((await readSecret(name)) ?? "{}");
    } catch (cause) {
      throw new NearcastError("store_unavailable", "The secret of webhooks cannot be read now.", {
        cause,
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
  }

  return async function secretsOf(caller) {
    known ??= "secretName" in source ? await read(source.secretName) : source;
    return known.get(caller) ?? known.get("*") ?? [];
  };
}
