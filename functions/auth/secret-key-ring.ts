import type { Platform } from "../platform/types.ts";
import { createSecretReader } from "../secret-reader.ts";
import { apiKeysSchema } from "./api-keys.ts";
import { type FindCaller, openKeyRing } from "./key-ring.ts";
import { authenticationUnavailable, notConfigured } from "./refusals.ts";

/**
 * The key ring of a secret outside the configuration. Reads the secret once, beginning now. A failed read rejects with
 * `authentication_unavailable`, and the next request tries again. A secret that does not exist rejects with
 * `authentication_not_configured`.
 */
export function createSecretKeyRing(
  secretName: string,
  platform: Platform,
): () => FindCaller | Promise<FindCaller> {
  const keyRing = createSecretReader({ secretName, open, unreadable }, platform);
  // Reads while the rest of the cold start goes on. Requests that need the keys get the failure.
  Promise.resolve(keyRing()).catch(() => undefined);
  return keyRing;

  function open(text: string | undefined): FindCaller {
    if (text === undefined) throw notConfigured();
    const keys = apiKeysSchema.safeParse(text);
    if (!keys.success) throw authenticationUnavailable("The API keys are not usable.", keys.error);
    return openKeyRing(keys.data, platform);
  }
}

function unreadable(cause: unknown) {
  return authenticationUnavailable("The API keys cannot be read now.", cause);
}
