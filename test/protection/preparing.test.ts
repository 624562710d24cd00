import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { encodePng } from "../harness/images.ts";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";

const STORE = join(import.meta.dirname, "../../models");
/** 16 kB, and a hundred milliseconds or more to decode. */
const IMAGE = encodePng({ width: 4000, height: 4000, inflatesTo: 4001 * 4000 });
const IRIS = { inputs: [[5.1, 3.5, 1.4, 0.2]] };
/** Some seconds to tokenize, none of it at once. */
const TEXTS = Array.from({ length: 50 }, () => "lasting words ".repeat(3000));

vi.setConfig({ testTimeout: 120_000 });

let server: NodeServer;
afterEach(() => server.stop());

async function begin(env: Record<string, string> = {}): Promise<void> {
  server = await startNodeServer({ env: { STORE, ...env } });
  expect((await ask("iris", IRIS)).status).toBe(200);
  expect((await ask("search", { inputs: "warm" })).status).toBe(200);
  expect((await decode()).status).toBe(200);
}

interface Options {
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

function ask(model: string, body: unknown, { signal, headers }: Options = {}): Promise<Response> {
  return server.fetch(`/v1/models/${model}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
}

function decode({ signal, headers }: Options = {}): Promise<Response> {
  return server.fetch("/v1/models/digits/predict", {
    method: "POST",
    headers: { "Content-Type": "image/png", ...headers },
    body: new Uint8Array(IMAGE),
    ...(signal && { signal }),
  });
}

/** Lines of the access log of answers by digits, after the one that warmed it up. */
function decoded(): { status: number; phases: Record<string, number> }[] {
  return server.logs
    .split("\n")
    .filter((line) => line.includes('"path":"/v1/models/digits/predict"'))
    .map((line) => JSON.parse(line))
    .slice(1);
}

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

test("an image whose client went away, or whose deadline is over, is not decoded", async () => {
  await begin({ MAX_QUEUE_MS: "60000" });
  const client = new AbortController();
  // The client of these leaves with the first answer.
  const gone = Array.from({ length: 8 }, async () => {
    await decode({ signal: client.signal });
    client.abort();
  });
  // Less than one takes: whichever comes first, these are late.
  const late = Array.from({ length: 8 }, () =>
    decode({ headers: { "X-Request-Timeout-Ms": "20" } }),
  );
  await Promise.allSettled(gone);
  for (const answer of await Promise.all(late)) expect(answer.status).toBe(504);
  await expect.poll(() => decoded().length, { timeout: 20_000 }).toBe(16);
  // The first of each, and what had its turn before its client was seen to leave.
  const undone = decoded().filter(({ phases }) => (phases["preprocess"] ?? 0) < 5);
  expect(undone.length).toBeGreaterThan(10);
});

test("while texts are tokenized for seconds, others are answered, and the deadline ends it", async () => {
  await begin();
  let isOver = false;
  const long = ask("search", { inputs: TEXTS }).then(({ status }) => {
    isOver = true;
    return status;
  });
  await sleep(50);
  for (let asked = 0; asked < 5; asked++) {
    expect((await ask("search", { inputs: "a short one" })).status).toBe(200);
    expect((await server.fetch("/health")).status).toBe(200);
  }
  expect(isOver).toBe(false);
  expect(await long).toBe(200);
  const headers = { "X-Request-Timeout-Ms": "100" };
  const cut = await ask("search", { inputs: TEXTS }, { headers });
  expect(cut.status).toBe(504);
});
