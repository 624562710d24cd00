import { expect, onTestFinished, test } from "vitest";
import { AUDIENCE, ISSUER } from "../auth/audience.ts";
import { signingKey, startIssuer, token } from "../auth/issuer.ts";
import { bearer } from "../auth/keys.ts";
import { targets } from "../harness/targets.ts";
import { awayFromBorder, predict } from "./requests.ts";

test("an address that tries wrong tokens runs out of tries, and a right one gets in all the same", async () => {
  const key = await signingKey("one");
  const issuer = await startIssuer(key);
  onTestFinished(() => issuer.close());
  const target = await targets.node({
    env: {
      AUTH: "",
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWT_JWKS_URL: issuer.jwksUrl,
      RATE_LIMIT: "3/60s",
      TRUST_PROXY: "1",
    },
  });
  onTestFinished(() => target.stop());
  await awayFromBorder(10);
  const right = await token(key);
  const wrong = await token({ ...(await signingKey("two")), kid: "one" });
  const statuses = async (credentials: string, count: number) => {
    const found = [];
    for (let times = 0; times < count; times++) {
      const headers = { "X-Forwarded-For": "192.0.2.1", ...bearer(credentials) };
      found.push((await predict(target, 1, headers)).status);
    }
    return found;
  };
  expect(await statuses(wrong, 5)).toEqual([401, 401, 401, 429, 429]);
  expect(await statuses(right, 2)).toEqual([200, 200]);
  // Far more than are checked in a second.
  const flood = await Promise.all(Array.from({ length: 300 }, () => statuses(wrong, 1)));
  expect(new Set(flood.flat())).toEqual(new Set([429]));
  await expect.poll(() => statuses(right, 1), { timeout: 10_000 }).toEqual([200]);
});
