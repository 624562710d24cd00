import { createSingleFlight } from "../model/single-flight.ts";
import type { Platform } from "../platform/types.ts";
import { apiKeysSchema } from "./api-keys.ts";
import { type FindCaller, openKeyRing } from "./key-ring.ts";
import { authenticationUnavailable, notConfigured } from "./refusals.ts";

/** Longer than the platform's own time-out for reading a secret. */
const PATIENCE_MS = 10_000;

/**
 * The key ring of a secret outside the configuration. Reads the secret once, beginning now. A failed read rejects with
 * `authentication_unavailable`, and the next request tries again. A secret that does not exist rejects with
 * `authentication_not_configured`.
 */
export function createSecretKeyRing(
  secretName: string,
  platform: Platform,
): () => FindCaller | Promise<FindCaller> {
  const share = createSingleFlight({ waitUntil: platform.waitUntil, patienceMs: PATIENCE_MS });
  let keyRing: FindCaller | undefined;

  async function read(): Promise<FindCaller> {
    const text = await platform.readSecret(secretName).catch((error: unknown) => {
      throw authenticationUnavailable("The API keys cannot be read now.", error);
    });
    if (text === undefined) throw notConfigured();
    const keys = apiKeysSchema.safeParse(text);
    if (!keys.success) throw authenticationUnavailable("The API keys are not usable.", keys.error);
    return (keyRing = openKeyRing(keys.data, platform));
  }

  const open = () => keyRing ?? share("keys", read);
  // Reads while the rest of the cold start goes on. Requests that need the keys get the failure.
  Promise.resolve(open()).catch(() => undefined);
  return open;
}
