import { Hono } from "hono";
import { expect, test } from "vitest";
import { ANYONE, type Caller } from "../../functions/auth/caller.ts";
import { createDeadline } from "../../functions/load/deadline.ts";
import { NearcastError } from "../../functions/errors.ts";
import { addressKey, forwardedAddress } from "../../functions/limits/address.ts";
import { limitGuesses } from "../../functions/http/middleware/limit-guesses.ts";
import { limitRequests } from "../../functions/http/middleware/limit-requests.ts";
import { createMemoryLimiter } from "../../functions/limits/memory-limiter.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import type { AppEnv } from "../../functions/http/exchange.ts";
import { collect } from "../harness/collect.ts";

test("an address counts as itself, and of IPv6 its network", () => {
  expect(
    ["192.0.2.1", "::ffff:192.0.2.1", "2001:DB8:0:1:2:3:4:5", "2001:db8::1", "fe80::1%eth0"].map(
      addressKey,
    ),
  ).toEqual([
    "192.0.2.1",
    "192.0.2.1",
    "2001:db8:0:1::/64",
    "2001:db8:0:0::/64",
    "fe80:0:0:0::/64",
  ]);
  expect(addressKey("2001:0db8:0000:0001::9")).toBe(addressKey("2001:db8:0:1::8"));
  expect(["192.0.2.1:50001", "[2001:db8::1]:50001", "[2001:db8::1]"].map(addressKey)).toEqual([
    "192.0.2.1",
    "2001:db8:0:0::/64",
    "2001:db8:0:0::/64",
  ]);
  expect(addressKey("x".repeat(10_000)).length).toBeLessThan(100);
});

test("only what trusted proxies have appended is believed", () => {
  const header = "9.9.9.9, 192.0.2.1, 10.0.0.1";
  expect(forwardedAddress("10.0.0.2", header, 0)).toBe("10.0.0.2");
  expect(forwardedAddress("10.0.0.2", header, 1)).toBe("10.0.0.1");
  expect(forwardedAddress("10.0.0.2", header, 2)).toBe("192.0.2.1");
  expect(forwardedAddress("10.0.0.2", header, 4)).toBe("10.0.0.2");
  expect(forwardedAddress("10.0.0.2", undefined, 1)).toBe("10.0.0.2");
});

test("a window ends by the monotonic clock, and begins with the key's next unit", () => {
  let now = 5000;
  const limiter = createMemoryLimiter(() => now);
  const rate = { limit: 2, windowSeconds: 10 };
  expect(limiter.take("a", 2, rate)).toEqual({ allowed: true, remaining: 0, resetSeconds: 10 });
  now += 9001;
  expect(limiter.take("a", 1, rate)).toEqual({ allowed: false, remaining: 0, resetSeconds: 1 });
  now += 999;
  expect(limiter.take("a", 1, rate)).toEqual({ allowed: true, remaining: 1, resetSeconds: 10 });
});

test("made-up addresses grow no memory, and leave the windows of those who go on asking", () => {
  const limiter = createMemoryLimiter();
  const rate = { limit: 1000, windowSeconds: 1000 };
  const round = (start: number) => {
    for (let address = start; address < start + 100_000; address++) {
      limiter.take(`address:${address}`, 1, rate);
      if (address % 1000 === 0) limiter.take("steady", 1, rate);
    }
  };
  round(0);
  collect();
  const before = process.memoryUsage().heapUsed;
  round(100_000);
  round(200_000);
  collect();
  expect(process.memoryUsage().heapUsed / before).toBeLessThan(1.2);
  expect(limiter.take("steady", 1, rate).remaining).toBe(1000 - 301);
  expect(limiter.take("address:0", 1, rate).remaining).toBe(999);
});

test("each caller has a rate, some their own, and nobody else's requests count", async () => {
  const callers: Record<string, Caller> = {
    "": ANYONE,
    shop: { ...ANYONE, name: "shop" },
    report: { ...ANYONE, name: "report", rate: { limit: 2, windowSeconds: 60 } },
  };
  const platform = createNodePlatform({ RATE_LIMIT: "1/60s" });
  const app = new Hono<AppEnv>()
    .use((c, next) => {
      const caller = callers[c.req.header("x-caller") ?? ""] ?? ANYONE;
      const deadline = createDeadline(60_000, () => false);
      c.set("exchange", {
        id: "1",
        headers: {},
        wrapped: false,
        routeIndex: 0,
        timeout: undefined,
        takesJobs: false,
        caller,
        deadline,
      });
      return next();
    })
    .use(limitRequests(platform))
    .get("/", (c) => c.text("yes"))
    .onError((error, c) => c.text("no", (error as NearcastError).status as 429));
  const statuses = async (caller: string) => {
    const ask = () => app.request("/", { headers: { "X-Caller": caller } });
    return [(await ask()).status, (await ask()).status, (await ask()).status];
  };
  expect(await statuses("shop")).toEqual([200, 429, 429]);
  expect(await statuses("report")).toEqual([200, 200, 429]);
  expect(await statuses("")).toEqual([200, 429, 429]);
});

test("who tries wrong keys runs out of tries, and right keys and some tokens still get in", () => {
  const [one, other] = [sourceOf("192.0.2.1"), sourceOf("192.0.2.2")];
  const guesses = limitGuesses(
    { clientAddress: ({ req }) => req.header("") ?? "" },
    { limit: 3, windowSeconds: 60 },
  );
  const refusal = new NearcastError("unauthorized", "No.");
  const refused = (from: typeof one) => (guesses.refuse(from, refusal) as NearcastError).code;
  for (let token = 0; token < 1000; token++) guesses.checkToken(one);
  expect([refused(one), refused(one), refused(one), refused(one)]).toEqual([
    "unauthorized",
    "unauthorized",
    "unauthorized",
    "rate_limited",
  ]);
  // From now on each signature costs a try.
  const checked = { tokens: 0 };
  expect(() => {
    for (; checked.tokens < 1000; checked.tokens++) guesses.checkToken(one);
  }).toThrow("You may have 3 units in 60 s. Try again in 1 s.");
  expect(checked.tokens).toBe(50);
  guesses.checkToken(other);
  expect(refused(other)).toBe("unauthorized");
  const outage = new NearcastError("authentication_unavailable", "Later.");
  expect(guesses.refuse(one, outage)).toBe(outage);
});

function sourceOf(address: string) {
  return { env: {}, req: { header: () => address } };
}
