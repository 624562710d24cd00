import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createTokenVerifier } from "../../functions/auth/tokens.ts";
import { AUDIENCE, ISSUER } from "./audience.ts";
import { signingKey, type SigningKey, startIssuer, token, tokenWithoutKid } from "./issuer.ts";

const first = await signingKey("first");
const second = await signingKey("second");

// Only the date is changed. Connections and time-outs are real.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

async function verifier(...keys: SigningKey[]) {
  const issuer = await startIssuer(first, ...keys);
  onTestFinished(issuer.close);
  const logged: unknown[] = [];
  const verify = createTokenVerifier(
    { issuer: ISSUER, audience: AUDIENCE, jwksUrl: issuer.jwksUrl },
    { waitUntil: () => undefined, log: (entry) => logged.push(entry) },
  );
  return { issuer, verify, logged };
}

const UNAVAILABLE = { code: "authentication_unavailable", headers: { "Retry-After": "5" } };

test.each(["down", "garbage", "redirect"] as const)(
  "an issuer that is out of order (%s) is asked once in five seconds, until it is back",
  async (behaviour) => {
    const { issuer, verify, logged } = await verifier();
    issuer.behave(behaviour);
    for (let times = 0; times < 10; times++)
      await expect(verify(await token(first))).rejects.toMatchObject(UNAVAILABLE);
    expect(issuer.requests()).toBe(1);
    expect(logged).toHaveLength(1);
    later(5000);
    await expect(verify(await token(first))).rejects.toMatchObject(UNAVAILABLE);
    expect(issuer.requests()).toBe(2);
    issuer.behave("ok");
    later(5000);
    expect(await verify(await token(first))).toMatchObject({ name: "jwt:user-1" });
  },
);

test("a key that was taken out stops working with the next reading, which waits for nobody", async () => {
  const { issuer, verify } = await verifier();
  await verify(await token(first));
  issuer.publish(second);
  later(4 * 60_000);
  await verify(await token(first));
  expect(issuer.requests()).toBe(1);
  later(60_000);
  await verify(await token(first));
  await issuer.asked(1);
  await expect
    .poll(async () => verify(await token(first)).catch(({ code }: { code: string }) => code))
    .toBe("unauthorized");
  expect(issuer.requests()).toBe(2);
});

test("a token that names no key costs eight verifications at the most", async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, (_, index) => signingKey(`${index}`)));
  const { verify } = await verifier(...keys);
  const [eighth, ninth] = keys.slice(-2) as [SigningKey, SigningKey];
  expect(await verify(await tokenWithoutKid(eighth))).toMatchObject({ name: "jwt:user-1" });
  await expect(verify(await tokenWithoutKid(ninth))).rejects.toMatchObject({
    code: "unauthorized",
  });
  expect(await verify(await token(ninth))).toMatchObject({ name: "jwt:user-1" });
});

test("a clock that is set back keeps no issuer from being asked", async () => {
  const { issuer, verify } = await verifier();
  await verify(await token(first));
  issuer.publish(first, second);
  later(-5 * 3_600_000);
  expect(await verify(await token(second))).toMatchObject({ name: "jwt:user-1" });
});

test("an old set goes on working while the issuer is down", async () => {
  const { issuer, verify, logged } = await verifier();
  await verify(await token(first));
  issuer.behave("down");
  for (let hours = 0; hours < 3; hours++) {
    later(3_600_000);
    await verify(await token(first));
    await issuer.asked(hours + 1);
    await expect.poll(() => logged.length).toBe(hours + 1);
  }
  await expect(verify(await token(second))).rejects.toMatchObject(UNAVAILABLE);
});

test("keys of the issuer that cannot be used are not the token's fault", async () => {
  const { issuer, verify } = await verifier();
  const { x: _x, ...broken } = first.jwk;
  issuer.publish({ ...first, jwk: { ...broken, x: "AAAA" } });
  await expect(verify(await token(first))).rejects.toMatchObject(UNAVAILABLE);
});

function later(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
}
