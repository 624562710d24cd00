import { expect, test, vi } from "vitest";
import { ask, begin, decode, IRIS } from "./preparing.ts";

vi.setConfig({ testTimeout: 120_000 });

test.each(["0", "1"])(
  "images that are small to send and long to decode are shed, and others do not wait for all of them, with %s workers",
  async (workers) => {
    await begin({ WORKERS: workers, MAX_QUEUE_MS: "50" });
    let answered = 0;
    const images = Promise.all(
      Array.from({ length: 40 }, async () => {
        const { status, headers } = await decode();
        if (status === 200) answered += 1;
        return { status, retryAfter: headers.get("retry-after") };
      }),
    );
    await expect.poll(() => answered, { interval: 5, timeout: 30_000 }).toBeGreaterThan(0);
    const before = answered;
    expect((await ask("iris", IRIS)).status).toBe(200);
    expect(answered - before).toBeLessThanOrEqual(2);
    const all = await images;
    const refused = all.filter(({ status }) => status === 503);
    expect(answered + refused.length).toBe(40);
    expect(refused.length).toBeGreaterThan(20);
    for (const { retryAfter } of refused) expect(retryAfter).toMatch(/^[1-9]\d*$/);
  },
);
