import { expect, test } from "vitest";
import { flood, NO_OTHER_LIMITS } from "./requests.ts";
import { inOneWindow } from "./worker-windows.ts";

test("of 1,000 requests at once the binding of 100 a minute lets through 100", async () => {
  const options = {
    env: { ...NO_OTHER_LIMITS, RATE_LIMIT: "100/60s" },
    rateLimits: { RATE_LIMIT_100_60: { limit: 100, period: 60 as const } },
  };
  const statuses = await inOneWindow(options, (target) => flood([target], 1000));
  // The count is exact in one place, as here. Each of Cloudflare's locations counts for itself.
  expect(statuses).toEqual({ 200: 100, 429: 900 });
});
