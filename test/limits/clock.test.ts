import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createDynamodbLimiter } from "../../functions/platform/limiter/dynamodb.ts";
import { startDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";

const HOUR_SECONDS = 3600;
const RATE = { limit: 3, windowSeconds: 60 };
/** In the middle of a window. */
const NOON = Date.UTC(2027, 0, 31, 12, 0, 30);

let dynamodb: DynamoDb;
beforeAll(async () => {
  dynamodb = await startDynamoDb("clocks");
  for (const [name, value] of Object.entries({
    ...dynamodb.env,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  }))
    vi.stubEnv(name, value);
});
afterAll(() => dynamodb.stop());

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

test.each([HOUR_SECONDS, -HOUR_SECONDS])(
  "an environment whose clock is %i s off opens no limit, and locks nobody out for longer than a window",
  async (seconds) => {
    const limiter = createDynamodbLimiter("clocks", { start: "now" });
    const key = `caller:${seconds}`;
    const passed = async (at: number) => {
      vi.setSystemTime(at);
      const taken = [];
      for (let times = 0; times < 5; times++) taken.push(await limiter.take(key, 1, RATE));
      for (const { resetSeconds } of taken) expect(resetSeconds).toBeLessThanOrEqual(60);
      return taken.filter(({ allowed }) => allowed).length;
    };
    const wrong = NOON + seconds * 1000;
    expect(await passed(NOON)).toBe(3);
    // It has its own window, with no more than any other, however often the clock jumps.
    expect(await passed(wrong)).toBe(3);
    for (const at of [NOON, wrong, NOON, wrong]) expect(await passed(at)).toBe(0);
    // Both windows end by either clock.
    for (const at of [NOON, wrong]) expect(await passed(at + 60_000)).toBe(3);
    // DynamoDB uses the right clock to remove expired items. It must not do so before the window has ended.
    for (const expires of await dynamodb.expiries(key))
      expect(expires).toBeGreaterThanOrEqual(NOON / 1000 + 30);
  },
);
