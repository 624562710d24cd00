import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";
import { AUDIENCE, ISSUER } from "./audience.ts";

/** A key of the issuer. It signs, and its public half is in the set. */
export interface SigningKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  jwk: JWK;
}

export async function signingKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
}

/** An issuer that serves its key set over HTTP, and can be made to fail. */
export async function startIssuer(...keys: SigningKey[]) {
  let published = keys;
  let behaviour: "ok" | "down" | "stall" | "garbage" | "redirect" = "ok";
  let requests = 0;
  const release = new Set<() => void>();

  const server = createServer(async (request, response) => {
    requests += 1;
    if (behaviour === "stall") await new Promise<void>((resolve) => release.add(resolve));
    if (behaviour === "down") return void response.writeHead(500).end();
    if (behaviour === "garbage") return void response.end('{"keys": "none"}');
    if (behaviour === "redirect" && request.url === "/jwks")
      return void response.writeHead(302, { Location: "/elsewhere" }).end();
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ keys: published.map(({ jwk }) => jwk) }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));

  return {
    jwksUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    requests: () => requests,
    publish: (...keys: SigningKey[]) => void (published = keys),
    /** `ok` also answers requests that have been waiting. */
    behave(next: typeof behaviour) {
      behaviour = next;
      if (next === "ok") for (const go of release) go();
    },
    /** Waits until the issuer was asked once more. */
    async asked(before: number) {
      for (let tries = 0; tries < 3000; tries++) {
        if (requests > before) return;
        await sleep(10);
      }
      throw new Error("The issuer was not asked");
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type Issuer = Awaited<ReturnType<typeof startIssuer>>;

/** Good claims; `seconds` are from now. */
export function claims(
  more: Record<string, unknown> = {},
  seconds: { exp?: number; nbf?: number } = {},
): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "user-1",
    scope: "openid predict read",
    iat: now,
    exp: now + (seconds.exp ?? 300),
    ...(seconds.nbf !== undefined && { nbf: now + seconds.nbf }),
    ...more,
  };
}

export function token(
  { alg, kid, privateKey }: SigningKey,
  payload: JWTPayload = claims(),
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
}

/** A token that does not say which key signed it. */
export function tokenWithoutKid(
  { alg, privateKey }: SigningKey,
  payload: JWTPayload = claims(),
): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg }).sign(privateKey);
}
