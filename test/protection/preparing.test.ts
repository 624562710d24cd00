import { setTimeout as sleep } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { ask, begin, decode, decoded, server } from "./preparing.ts";

/** Takes half a second or more to tokenize, in small pieces. */
const TEXTS = Array.from({ length: 55 }, () => "lasting words ".repeat(7000));

vi.setConfig({ testTimeout: 120_000 });

test("an image whose client went away, or whose deadline is over, is not decoded", async () => {
  await begin({ MAX_QUEUE_MS: "60000" });
  const client = new AbortController();
  // The client of these leaves with the first answer.
  const gone = Array.from({ length: 8 }, async () => {
    await decode({ signal: client.signal });
    client.abort();
  });
  // The time is shorter than one run, so these are late in any order.
  const late = Array.from({ length: 8 }, () =>
    decode({ headers: { "X-Request-Timeout-Ms": "20" } }),
  );
  await Promise.allSettled(gone);
  for (const answer of await Promise.all(late)) expect(answer.status).toBe(504);
  await expect.poll(() => decoded().length, { timeout: 20_000 }).toBe(16);
  // Not the first request of each, nor those whose turn came before the server saw their clients leave: other work on the
  // machine makes these more.
  const undone = decoded().filter(({ phases }) => (phases?.["preprocess"] ?? 0) < 5);
  expect(undone.length).toBeGreaterThan(6);
});

test("while long texts are tokenized, others are answered, and the deadline ends it", async () => {
  await begin();
  let isOver = false;
  const long = Promise.all([1, 2, 3].map(() => ask("search", { inputs: TEXTS }))).then((all) => {
    isOver = true;
    return all.map(({ status }) => status);
  });
  await sleep(50);
  for (let asked = 0; asked < 3; asked++) {
    expect((await ask("search", { inputs: "a short one" })).status).toBe(200);
    expect((await server.fetch("/health")).status).toBe(200);
  }
  expect(isOver).toBe(false);
  expect(await long).toEqual([200, 200, 200]);
  const headers = { "X-Request-Timeout-Ms": "30" };
  const cut = await ask("search", { inputs: TEXTS }, { headers });
  expect(cut.status).toBe(504);
});
