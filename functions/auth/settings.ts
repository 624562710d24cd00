import * as z from "zod";
import { isLoopback } from "../loopback.ts";
import { secretNameOf } from "../variable.ts";
import { apiKeysSchema, type ApiKey } from "./api-keys.ts";

/** Who is let in. */
export type AuthSettings =
  /** Everyone, with every scope: by `AUTH=none`, or because only this machine can ask. */
  | { mode: "open" }
  /** Nobody, since nothing was configured. Health still answers. */
  | { mode: "closed" }
  /** Callers with a key or a token. */
  | { mode: "required"; apiKeys: ApiKeySource | undefined; tokens: TokenSettings | undefined };

/** The keys, or the name of the secret that holds them. */
export type ApiKeySource = readonly ApiKey[] | { secretName: string };

/** Which JSON Web Tokens are accepted. */
export interface TokenSettings {
  issuer: string;
  audience: string;
  /** Where the issuer publishes its keys. */
  jwksUrl: string;
}

/** The environment variables of authentication. */
export const authVariables = {
  /** `none` lets everyone in. */
  AUTH: z.literal("none", { error: "must be none, or unset" }).optional(),
  /** Secret. A value for `apiKeysSchema`, or `ssm:/name` of a parameter that holds it (Lambda and Node). */
  API_KEYS: z
    .string()
    .transform((text, context): ApiKeySource => {
      const secretName = secretNameOf(text);
      if (secretName !== undefined) return { secretName };
      const keys = apiKeysSchema.safeParse(text);
      if (keys.success) return keys.data;
      for (const { path, message } of keys.error.issues)
        context.addIssue({ code: "custom", path, message });
      return z.NEVER;
    })
    .optional(),
  /** The value that a token's `iss` must have. */
  JWT_ISSUER: z.url().optional(),
  /** The value that a token's `aud` must be or contain. */
  JWT_AUDIENCE: z.string().min(1).optional(),
  /** URL of the issuer's JSON Web Key Set; by default `/.well-known/jwks.json` below the issuer. */
  JWT_JWKS_URL: z.url().optional(),
};

type AuthVariables = z.output<z.ZodObject<typeof authVariables>>;

/** Reports authentication variables that do not go together. */
export function checkAuth(
  value: AuthVariables,
  report: (name: string, message: string) => void,
): void {
  if (value.AUTH === "none")
    for (const name of ["API_KEYS", "JWT_ISSUER"] as const)
      if (value[name] !== undefined)
        report("AUTH", `is none, and ${name} is set: unset one of them`);
  if (value.JWT_ISSUER !== undefined && value.JWT_AUDIENCE === undefined)
    report("JWT_AUDIENCE", "must be set with JWT_ISSUER");
  for (const name of ["JWT_AUDIENCE", "JWT_JWKS_URL"] as const)
    if (value[name] !== undefined && value.JWT_ISSUER === undefined)
      report(name, "needs JWT_ISSUER");
  const url = jwksUrl(value);
  if (url !== undefined && !isTrustworthy(url)) report("JWT_JWKS_URL", `must be https, not ${url}`);
}

export function authSettings(value: AuthVariables): AuthSettings {
  const { AUTH, API_KEYS: apiKeys, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = value;
  if (AUTH === "none") return { mode: "open" };
  const url = jwksUrl(value);
  const tokens = issuer && audience && url ? { issuer, audience, jwksUrl: url } : undefined;
  return apiKeys || tokens ? { mode: "required", apiKeys, tokens } : { mode: "closed" };
}

function jwksUrl({ JWT_ISSUER, JWT_JWKS_URL }: AuthVariables): string | undefined {
  if (JWT_JWKS_URL !== undefined) return JWT_JWKS_URL;
  return JWT_ISSUER && `${JWT_ISSUER.replace(/\/$/, "")}/.well-known/jwks.json`;
}

/** Whether keys from this URL can be trusted. Anybody could change them over plain HTTP. */
function isTrustworthy(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}
