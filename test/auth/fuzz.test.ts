import fc from "fast-check";
import { base64url } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { AUDIENCE, ISSUER } from "./audience.ts";
import { claims, signingKey, startIssuer, token } from "./issuer.ts";
import { apiKey, bearer, keyList } from "./keys.ts";
import { PREDICT, prediction } from "./targets.ts";

const RUNS = 2000;

const json = (value: unknown) => base64url.encode(JSON.stringify(value));
const bytesOf = (token: string) =>
  token
    .split(".")
    .map((part) => Buffer.from(part, "base64url").toString("hex"))
    .join(".");

test(
  "no credentials that are made up get in, or anything but a refusal",
  { timeout: 300_000 },
  async () => {
    const begin = performance.now();
    const key = await signingKey("first");
    const issuer = await startIssuer(key);
    onTestFinished(issuer.close);
    const web = apiKey("web");
    const app = createApp(
      createService(
        createNodePlatform({
          ACCESS_LOG: "false",
          API_KEYS: keyList(web),
          JWT_ISSUER: ISSUER,
          JWT_AUDIENCE: AUDIENCE,
          JWT_JWKS_URL: issuer.jwksUrl,
        }),
      ),
    );
    const good = await token(key);
    const status = async (headers: Record<string, string>) =>
      (await app.request(PREDICT, prediction(headers))).status;

    const part = fc.oneof(fc.string({ unit: "binary-ascii" }), fc.json().map(base64url.encode));
    const header = fc
      .record(
        {
          alg: fc.constantFrom("ES256", "none", "HS256", "RS256", "EdDSA", "es256", ""),
          kid: fc.oneof(fc.constantFrom("first", "__proto__", "constructor"), fc.jsonValue()),
          typ: fc.jsonValue(),
          crit: fc.jsonValue(),
          b64: fc.boolean(),
          jwk: fc.constant(key.jwk),
        },
        { requiredKeys: [] },
      )
      .map(json);
    const payload = fc
      .record({ scope: fc.jsonValue(), exp: fc.jsonValue() })
      .map((more) => json(claims(more)));
    const pieces = good.split(".");
    const tokens = fc
      .tuple(
        fc.oneof(header, part),
        fc.oneof(payload, part),
        fc.oneof(fc.constant(pieces[2] ?? ""), part),
      )
      .map((parts) => parts.join("."));
    // One character of a good token or key changed, or a piece of it.
    const nearly = fc
      .tuple(
        fc.constantFrom(good, web.key),
        fc.nat(),
        fc.string({ unit: "binary-ascii", maxLength: 3 }),
      )
      .map(
        ([text, at, other]) =>
          text.slice(0, at % text.length) + other + text.slice((at % text.length) + 1),
      )
      .filter((text) => text.trim() !== web.key && !isSameToken(text, good));

    await fc.assert(
      fc.asyncProperty(fc.oneof(tokens, nearly, part), fc.boolean(), async (credentials, asKey) => {
        const headers = asKey ? { "X-API-Key": credentials } : bearer(credentials);
        // A value that cannot be a header does not reach the app.
        fc.pre(isHeader(headers));
        expect([401, 403]).toContain(await status(headers));
      }),
      { numRuns: RUNS },
    );
    expect(await status(bearer(good))).toBe(200);
    expect(await status(bearer(web.key))).toBe(200);
    // Read once, and for made-up keys at most once in five seconds.
    expect(issuer.requests()).toBeLessThanOrEqual(2 + (performance.now() - begin) / 5000);
  },
);

/** Unused bits of a last base64url digit can differ between two spellings of the same bytes. */
function isSameToken(text: string, good: string): boolean {
  return bytesOf(text) === bytesOf(good) || text.trim() === good;
}

function isHeader(headers: Record<string, string>): boolean {
  try {
    return Boolean(new Headers(headers));
  } catch {
    return false;
  }
}
