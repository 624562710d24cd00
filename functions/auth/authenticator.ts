import type { Caller } from "./caller.ts";
import type { Platform, RequestSource } from "../platform/types.ts";
import { openKeyRing } from "./key-ring.ts";
import { createSecretKeyRing } from "./secret-key-ring.ts";
import { invalidCredentials } from "./refusals.ts";
import type { AuthSettings, TokenSettings } from "./settings.ts";

/**
 * Finds the caller of a key or token. Returns a promise only when it has to wait. Throws or rejects with `unauthorized`
 * or `forbidden`, and with `authentication_unavailable` when keys cannot be read now.
 */
export type Authenticator = (
  credentials: string,
  source: RequestSource,
) => Caller | Promise<Caller>;

/**
 * Tries the credentials as a key first, whatever their form, and then as a token, where tokens are configured.
 * `checkToken` may throw before a token's signature is checked.
 */
export function createAuthenticator(
  { apiKeys, tokens }: Extract<AuthSettings, { mode: "required" }>,
  platform: Platform,
  checkToken: (source: RequestSource) => void = () => undefined,
): Authenticator {
  const otherwise = tokens ? createTokenReader(tokens, platform, checkToken) : refuse;
  if (!apiKeys) return otherwise;
  const { sha256 } = platform;
  if ("secretName" in apiKeys) {
    const keyRing = createSecretKeyRing(apiKeys.secretName, platform);
    return async (credentials, source) =>
      (await keyRing())(await sha256(credentials)) ?? otherwise(credentials, source);
  }
  const findCaller = openKeyRing(apiKeys, platform);
  return function authenticate(credentials, source) {
    const digest = sha256(credentials);
    if (digest instanceof Promise)
      return digest.then((known) => findCaller(known) ?? otherwise(credentials, source));
    return findCaller(digest) ?? otherwise(credentials, source);
  };
}

/** Loads the code for tokens with the first token, so that deployments with only keys do not pay for it. */
function createTokenReader(
  settings: TokenSettings,
  platform: Platform,
  checkToken: (source: RequestSource) => void,
): Authenticator {
  let verify: ((token: string) => Promise<Caller>) | undefined;
  return async function readToken(credentials, source) {
    if (credentials.split(".", 4).length !== 3) return refuse();
    checkToken(source);
    if (!verify) {
      const { createTokenVerifier } = await import("./tokens.ts");
      verify ??= createTokenVerifier(settings, platform);
    }
    return verify(credentials);
  };
}

function refuse(): never {
  throw invalidCredentials("The key or token is not valid, or no longer valid.");
}
