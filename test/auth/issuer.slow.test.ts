import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Target } from "../harness/targets.ts";
import { AUDIENCE, ISSUER } from "./audience.ts";
import { type Issuer, signingKey, startIssuer, token } from "./issuer.ts";
import { bearer } from "./keys.ts";
import { PREDICT, prediction, TARGETS } from "./targets.ts";

/** A little longer than the pause between two requests to the issuer. */
const COOLDOWN_MS = 5100;

const [first, second, third, madeUp] = (await Promise.all(
  ["first", "second", "third", "made-up"].map((kid) => signingKey(kid)),
)) as [Key, Key, Key, Key];
type Key = Awaited<ReturnType<typeof signingKey>>;

const cases = TARGETS.map(([name, start]) => ({
  name,
  start,
  running: undefined as Running,
}));
type Running = { issuer: Issuer; target: Target } | undefined;

// They start one after the other. A start uses a core for seconds, and the others would time out.
beforeAll(async () => {
  for (const one of cases) {
    const issuer = await startIssuer(first);
    const env = {
      AUTH: "",
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWT_JWKS_URL: issuer.jwksUrl,
    };
    one.running = { issuer, target: await one.start({ env }) };
  }
});
afterAll(async () => {
  for (const { running } of cases) {
    await running?.target.stop();
    await running?.issuer.close();
  }
});

test.concurrent.for(cases)(
  "on $name keys are read once for all, rotate while it runs, and outlast the issuer",
  async ({ name, running }) => {
    if (!running) throw new Error("It did not start");
    const { issuer, target } = running;
    const ask = async (key: Key, signal?: AbortSignal) => askWith(target, await token(key), signal);

    // The request that began the reading is cancelled. Those that wait for the reading are still answered.
    issuer.behave("stall");
    const leaving = new AbortController();
    const owner = ask(first, leaving.signal).catch(() => "left");
    await issuer.asked(0);
    const waiting = [ask(first), ask(first)];
    await sleep(200);
    leaving.abort();
    expect(await owner).toBe("left");
    await sleep(200);
    issuer.behave("ok");
    expect(await Promise.all(waiting)).toEqual([200, 200]);
    expect(issuer.requests()).toBe(1);

    // A new key is picked up. Many made-up keys come with it, and all together cause one reading of the set.
    expect(await ask(madeUp)).toBe(401);
    expect(issuer.requests()).toBe(1);
    await sleep(COOLDOWN_MS);
    issuer.publish(first, second);
    // Lambda answers one after the other. All must come before the issuer may be asked again.
    const many = name === "lambda" ? 5 : 50;
    const asked = await Promise.all([
      ...Array.from({ length: many }, () => ask(madeUp)),
      ask(second),
      ...Array.from({ length: many }, () => ask(madeUp)),
    ]);
    expect(new Set(asked.toSpliced(many, 1))).toEqual(new Set([401]));
    expect(asked[many]).toBe(200);
    expect(issuer.requests()).toBe(2);

    // The issuer does not answer. Its known keys still work. Unknown keys cannot be judged.
    await sleep(COOLDOWN_MS);
    issuer.publish(first, second, third);
    issuer.behave("stall");
    const unknown = fetchWith(target, await token(third));
    await issuer.asked(2);
    expect([await ask(first), await ask(second)]).toEqual([200, 200]);
    const response = await unknown;
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toMatchObject({ code: "authentication_unavailable" });
    expect([await ask(third), await ask(madeUp), await ask(first)]).toEqual([503, 503, 200]);
    expect(issuer.requests()).toBe(3);

    issuer.behave("ok");
    await sleep(COOLDOWN_MS);
    expect(await ask(third)).toBe(200);
    expect(await ask(madeUp)).toBe(401);
  },
);

function fetchWith(target: Target, token: string, signal?: AbortSignal): Promise<Response> {
  return target.fetch(PREDICT, { ...prediction(bearer(token)), ...(signal && { signal }) });
}

async function askWith(target: Target, token: string, signal?: AbortSignal): Promise<number> {
  const response = await fetchWith(target, token, signal);
  await response.arrayBuffer();
  return response.status;
}
