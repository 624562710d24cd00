import { CompactSign, exportSPKI, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { AUDIENCE, ISSUER } from "./audience.ts";
import {
  claims,
  type Issuer,
  signingKey,
  type SigningKey,
  startIssuer,
  token,
  tokenWithoutKid,
} from "./issuer.ts";
import { apiKey, bearer, keyList } from "./keys.ts";
import { post, PREDICT, prediction, TARGETS } from "./targets.ts";

const web = apiKey("web");
let ec: SigningKey;
let rsa: SigningKey;
let edwards: SigningKey;
let next: SigningKey;
let strange: SigningKey;
beforeAll(async () => {
  ec = await signingKey("ec");
  rsa = await signingKey("rsa", "RS256");
  edwards = await signingKey("edwards", "EdDSA");
  next = await signingKey("next");
  // The issuer's name for its key, and another key.
  strange = { ...(await signingKey("strange")), kid: "ec" };
});

describe.each(inThisFile(TARGETS))("on %s", (_name, start) => {
  let issuer: Issuer;
  let target: Target;
  beforeAll(async () => {
    issuer = await startIssuer(ec, rsa, edwards, next);
    target = await start({
      env: {
        AUTH: "",
        API_KEYS: keyList(web),
        JWT_ISSUER: ISSUER,
        JWT_AUDIENCE: AUDIENCE,
        JWT_JWKS_URL: issuer.jwksUrl,
      },
    });
  });
  afterAll(async () => {
    await target?.stop();
    await issuer?.close();
  });

  const ask = (token: string) => target.fetch(PREDICT, prediction(bearer(token)));

  test("tokens by RS256, ES256 and EdDSA are accepted, and keys beside them", async () => {
    for (const credentials of [await token(rsa), await token(ec), await token(edwards), web.key])
      expect((await ask(credentials)).status, credentials).toBe(200);
    expect(issuer.requests()).toBe(1);
  });

  test("a token that names no key may be signed with any key of its algorithm", async () => {
    for (const key of [ec, next, rsa])
      expect((await ask(await tokenWithoutKid(key))).status, key.kid).toBe(200);
    for (const [token, reason] of [
      [await tokenWithoutKid(strange), /signature/],
      [await tokenWithoutKid(next, claims({}, { exp: -3600 })), /expired/],
    ] as const) {
      const refused = await ask(token);
      expect(refused.status).toBe(401);
      expect(await refused.json()).toMatchObject({ detail: expect.stringMatching(reason) });
    }
  });

  test("scopes and models are those of the claims", async () => {
    const statuses = async (more: Record<string, unknown>) => {
      const headers = bearer(await token(ec, claims(more)));
      const answers = [
        await target.fetch(PREDICT, prediction(headers)),
        await target.fetch("/v1/models/diabetes", { headers }),
        await target.fetch("/v2/repository/models/iris/load", post("{}", headers)),
      ];
      return answers.map(({ status }) => status);
    };
    expect(await statuses({})).toEqual([200, 200, 403]);
    expect(await statuses({ scope: "predict read admin" })).toEqual([200, 200, 200]);
    expect(await statuses({ scope: undefined, scp: ["read"] })).toEqual([403, 200, 403]);
    expect(await statuses({ scope: undefined, scp: "predict" })).toEqual([200, 403, 403]);
    expect(await statuses({ models: ["iris"] })).toEqual([200, 403, 403]);
    expect(await statuses({ models: ["diabetes"] })).toEqual([403, 200, 403]);
    expect(await statuses({ models: [] })).toEqual([403, 403, 403]);
    for (const scope of [undefined, "", "openid profile", "predicts Read ADMIN"])
      expect(await statuses({ scope }), scope).toEqual([403, 403, 403]);
    // It does not mean "every model". A claim that cannot be read lets in less, not more.
    expect(await statuses({ models: "iris" })).toEqual([401, 401, 401]);
    expect(await statuses({ models: null })).toEqual([401, 401, 401]);
    const list = await target.fetch("/v1/models", {
      headers: bearer(await token(ec, claims({ models: ["iris"] }))),
    });
    expect(await list.json()).toMatchObject({ data: [{ id: "iris" }] });
  });

  test("a token that is not right is refused, and says why", async () => {
    const good = await token(ec);
    const [header = "", payload = "", signature = ""] = good.split(".");
    const forged = btoa(JSON.stringify(claims({ scope: "admin" }))).replaceAll("=", "");
    const unsigned = new UnsecuredJWT(claims()).encode();
    const publicPem = new TextEncoder().encode(await exportSPKI(rsa.publicKey));
    const confused = (alg: string) =>
      new SignJWT(claims()).setProtectedHeader({ alg, kid: "rsa" }).sign(publicPem);
    const cases: [token: string, reason: RegExp][] = [
      [await token(ec, claims({ iss: "https://other.test/" })), /claim iss/],
      [await token(ec, claims({ iss: ISSUER.slice(0, -1) })), /claim iss/],
      [await token(ec, claims({ iss: undefined })), /claim iss/],
      [await token(ec, claims({ aud: "another-service" })), /claim aud/],
      [await token(ec, claims({ aud: undefined })), /claim aud/],
      [await token(ec, claims({ exp: undefined })), /claim exp/],
      [await token(ec, claims({ sub: undefined })), /claim sub/],
      [await token(ec, claims({ sub: "x".repeat(256) })), /claim sub/],
      [await token(ec, claims({}, { exp: -3600 })), /expired/],
      [await token(strange), /signature/],
      [await token(ec, claims(), { alg: "ES256", kid: "unknown" }), /does not have/],
      [unsigned, /signed with one of/],
      [unsigned.replace(/\.$/, `.${signature}`), /signed with one of/],
      [await confused("HS256"), /signed with one of/],
      [await confused("HS512"), /signed with one of/],
      [await token(await signingKey("rsa", "PS256")), /signed with one of/],
      [`${header}.${forged}.${signature}`, /signature/],
      [`${header}.${payload}.${signature.slice(0, -4)}AAAA`, /signature/],
      [`${header}.${payload}.`, /signature|not valid/],
      [`${btoa('{"alg":"ES256","kid":"ec","crit":["x"],"x":1}')}.${payload}.${signature}`, /valid/],
      [`${header}.${btoa("no claims").replaceAll("=", "")}.${signature}`, /signature|not valid/],
      ["..", /not valid/],
      ["a.b.c", /not valid/],
      [`${good}.x`, /not valid/],
      [good.slice(0, good.lastIndexOf(".")), /not valid/],
      [await notAnObject(ec), /not valid/],
    ];
    for (const [refused, reason] of cases) {
      const response = await ask(refused);
      expect(response.status, `${String(reason)} ${refused}`).toBe(401);
      const { detail } = (await response.json()) as { detail: string };
      expect(detail, refused).toMatch(reason);
      expect(response.headers.get("www-authenticate")).toBe(
        `Bearer realm="nearcast", error="invalid_token", error_description="${detail}"`,
      );
    }
    expect((await ask(good)).status).toBe(200);
    expect((await ask(await token(ec, claims({ aud: ["another", AUDIENCE] })))).status).toBe(200);
  });

  const statusAt = async (seconds: { exp?: number; nbf?: number }) =>
    (await ask(await token(ec, claims({}, seconds)))).status;

  test("clocks may be half a minute apart", async () => {
    expect(await statusAt({ exp: -20 })).toBe(200);
    expect(await statusAt({ exp: -40 })).toBe(401);
    expect(await statusAt({ nbf: 20 })).toBe(200);
    expect(await statusAt({ nbf: 50 })).toBe(401);
  });
});

/** A correct signature over something that is not a set of claims. */
function notAnObject({ alg, kid, privateKey }: SigningKey): Promise<string> {
  return new CompactSign(new TextEncoder().encode('["predict"]'))
    .setProtectedHeader({ alg, kid })
    .sign(privateKey);
}
