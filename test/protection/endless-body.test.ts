import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";
import { beginPost } from "../harness/unfinished-post.ts";

const TIMEOUT_MS = 400;

/** Posts the beginning of a body, waits for the answer, and closes the connection. */
async function postUnfinished(target: Target, headers: Record<string, string>): Promise<number> {
  const url = new URL("/v1/models/iris/predict", target.url);
  const post = beginPost(url, '{"inputs":', headers);
  const answered = await post.status;
  post.leave();
  return answered;
}

test.each(inThisFile(["node", "worker"] as const))(
  "on %s, bodies that never end take no place for longer than a request may",
  async (name) => {
    const target = await targets[name]({
      env: { MAX_CONCURRENCY: "1", REQUEST_TIMEOUT_MS: String(TIMEOUT_MS) },
    });
    onTestFinished(() => target.stop());
    const forms = [
      { "Content-Length": "1000" },
      { "Content-Length": "1000", "Content-Encoding": "gzip" },
      {},
    ];
    for (const headers of forms) {
      expect(await postUnfinished(target, headers)).toBe(504);
      await sleep(TIMEOUT_MS / 10);
    }
    const answer = await target.fetch("/v1/models/iris/predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
    });
    expect(answer.status).not.toBe(503);
  },
);

test.each(inThisFile(["node", "worker"] as const))(
  "on %s, bodies that arrive slowly make room for others when all places are taken",
  async (name) => {
    const target = await targets[name]({ env: { MAX_CONCURRENCY: "4" } });
    onTestFinished(() => target.stop());
    const ask = () =>
      target.fetch("/v1/models/iris/predict", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ inputs: [5.1, 3.5, 1.4, 0.2] }),
      });
    // Loads the model.
    expect((await ask()).status).toBe(200);
    const url = new URL("/v1/models/iris/predict", target.url);
    const statuses: number[] = [];
    const slow = Array.from({ length: 5 }, () => beginPost(url, '{"inputs":'));
    const ends = slow.map(async ({ status }) => statuses.push(await status));
    // The fifth request is refused when the others have their places. On a busy machine it takes the place of one.
    for (let waited = 0; statuses.length === 0 && waited < 3000; waited += 20) await sleep(20);
    await expect.poll(async () => (await ask()).status).toBe(200);
    // In a Worker one request cannot end another. The other learns it when its body has come.
    for (const { finish } of slow) finish("[5.1,3.5,1.4,0.2]}");
    await Promise.all(ends);
    expect(statuses).toContain(408);
    expect(statuses.filter((status) => ![200, 408, 503].includes(status))).toEqual([]);
    for (const { leave } of slow) leave();
    expect((await ask()).status).toBe(200);
    expect(target.logs()).not.toMatch(/"code":"internal"|Warning: /);
  },
);
