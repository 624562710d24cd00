import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createRandom } from "../adversarial/random.ts";
import { shippedModels } from "../harness/models.ts";
import { targets, type Behaviour, type Target } from "../harness/targets.ts";

const SEED = Number(process.env["SEED"] ?? 1);
const BEHAVIOURS: Behaviour[] = [
  "ok",
  "down",
  "stall",
  "slow",
  "slow-body",
  "garbage",
  "truncate",
  "forbidden",
];
const ROUNDS = 2;
const CHANGES = 12;
const CHANGE_MS = 120;
/** The answers of each kind in every round. A busy machine may need long for them. */
const LEAST = 3;

const requests = shippedModels.map(({ manifest: { name, examples } }) => ({
  path: `/v1/models/${name}/predict`,
  body: JSON.stringify({ inputs: examples[0]?.input }),
}));

let target: Target | undefined;
afterEach(() => target?.stop());

describe.each(Object.entries(targets))("on %s", (name, start) => {
  test("a store that flaps costs answers at the worst, never a wrong one, and then all are right", async () => {
    // Every request loads a session and asks for the release.
    const env = { STORE_TIMEOUT_MS: "1000", RELEASE_TTL_SECONDS: "0", SESSION_BUDGET_MB: "0.98" };
    const running = await start({ env });
    target = running;
    const ask = async (index: number) => {
      const { path, body } = requests[index % requests.length] ?? { path: "", body: "" };
      const headers = { "Content-Type": "application/json" };
      const answer = await running.fetch(path, { method: "POST", headers, body });
      return { path, status: answer.status, text: await answer.text(), headers: answer.headers };
    };
    const right = new Map<string, string>();
    for (const index of requests.keys()) {
      const { path, status, text } = await ask(index);
      expect(status, text).toBe(200);
      right.set(path, text);
    }
    const random = createRandom(SEED, 0);
    let asked = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Cold, and down from the first request on.
      running.store.behave("down");
      await running.restart();
      const served = { right: 0, refused: 0 };
      const changes = new AbortController();
      const client = async () => {
        while (!changes.signal.aborted) {
          const { path, status, text, headers } = await ask(asked++);
          if (status === 200) {
            expect(text).toBe(right.get(path));
            served.right += 1;
          } else {
            const { code } = JSON.parse(text) as { code: string };
            expect(["503 store_unavailable", "502 model_corrupt"]).toContain(`${status} ${code}`);
            if (status === 503) expect(headers.get("retry-after")).toMatch(/^[1-9]\d*$/);
            served.refused += 1;
          }
        }
      };
      const enough = () => served.right >= LEAST && served.refused >= LEAST;
      const flap = async () => {
        for (let change = 0; change < CHANGES || !enough(); change++) {
          changes.signal.throwIfAborted();
          running.store.behave(random.pick(BEHAVIOURS));
          await sleep(CHANGE_MS);
        }
        changes.abort();
      };
      const clients = Array.from({ length: name === "lambda" ? 1 : 4 }, client);
      await Promise.all([...clients, flap()]).finally(() => changes.abort());
      running.store.behave("ok");
      for (const index of requests.keys()) {
        const { path, status, text } = await ask(index);
        expect([status, text]).toEqual([200, right.get(path)]);
      }
    }
    expect(running.logs()).not.toContain('"code":"internal"');
  });
});
