import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { encodeJpeg } from "../harness/images.ts";
import { startNodeServer } from "../harness/node-server.ts";

const STORE = join(import.meta.dirname, "../../models");

/** Takes some hundreds of milliseconds. */
function photo(): Buffer<ArrayBuffer> {
  const [width, height] = [4000, 3000];
  const data = new Uint8Array(width * height * 4);
  for (let at = 0; at < data.length; at++) data[at] = (at >> 6) + ((at * 7919) % 23);
  return encodeJpeg({ width, height, data }, 85);
}

// The server of `npm start` is the built one, in which the thread has a file of its own.
test.each([{}, { WORKERS: "2" }])(
  "with %j a built server decodes a large picture in a thread, also at SIGTERM",
  async (env) => {
    const server = await startNodeServer({ env: { STORE, ...env } });
    onTestFinished(async () => void (await server.stop()));
    const body = photo();
    const predict = () =>
      server.fetch("/v1/models/digits/predict", {
        method: "POST",
        headers: { "Content-Type": "image/jpeg" },
        body,
      });
    const first = await predict();
    expect(first.status).toBe(200);
    const expected = await first.text();
    const beside = { isDone: false, healthy: 0 };
    const second = predict().finally(() => (beside.isDone = true));
    for (; !beside.isDone; beside.healthy++)
      expect((await server.fetch("/health")).status).toBe(200);
    expect(await (await second).text()).toBe(expected);
    // In one piece, one or two would be answered.
    expect(beside.healthy).toBeGreaterThan(5);
    const last = predict();
    await sleep(50);
    const ended = server.stop();
    const answer = await last;
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe(expected);
    expect(await ended).toBe(0);
  },
);
