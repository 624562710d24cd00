import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Handle, Outcome } from "../../functions/jobs/queue.ts";
import { createCloudflareQueue } from "../../functions/platform/queue/cloudflare.ts";

/** A queue with a binding that keeps what it is sent, and messages that keep what became of them. */
function open() {
  const sent: [string, number][] = [];
  let isDown = false;
  const all = createCloudflareQueue({
    async send(body, { delaySeconds }) {
      if (isDown) throw new Error("Too Many Requests");
      sent.push([body, delaySeconds]);
    },
  });
  const fates: Record<string, string> = {};
  const messageOf = (body: string, attempts = 1) => ({
    body,
    attempts,
    ack: () => void (fates[body] ??= "acked"),
    retry: ({ delaySeconds }: { delaySeconds: number }) =>
      void (fates[body] ??= `retried after ${delaySeconds}`),
  });
  return {
    ...all,
    sent,
    fates,
    fail: () => void (isDown = true),
    hand: (bodies: string[], { queue = "nearcast-jobs", attempts = 1 } = {}) =>
      all.handOut({ queue, messages: bodies.map((body) => messageOf(body, attempts)) }),
  };
}

describe("a queue of Cloudflare", () => {
  test("what becomes of a message is what its handler says", async () => {
    const { consume, hand, sent, fates } = open();
    const outcomes: Record<string, Outcome> = {
      done: "done",
      later: { retryAfterSeconds: 7.2 },
      "much later": { retryAfterSeconds: 30 * 86_400 },
    };
    consume(async (key) => outcomes[key] ?? "done", 2);
    await hand(Object.keys(outcomes));
    // Waiting is no try: the message is a new one.
    expect(sent).toEqual([
      ["later", 8],
      ["much later", 86_400],
    ]);
    expect(fates).toEqual({
      done: "acked",
      later: "acked",
      "much later": "acked",
    });
  });

  test("a message is not lost where no new one can be sent", async () => {
    const { consume, hand, fates, fail } = open();
    consume(async () => ({ retryAfterSeconds: 60 }), 1);
    fail();
    await hand(["waits"]);
    expect(fates).toEqual({ waits: "retried after 60" });
  });

  test("a dead letter has more tries than a job may have, and stays where it is", async () => {
    const { consume, hand, sent, fates } = open();
    const seen: number[] = [];
    const handle: Handle = async (key, tries) => {
      seen.push(tries);
      return key === "ended" ? "done" : { retryAfterSeconds: 5 };
    };
    consume(handle, 1);
    await hand(["ended", "no store"], { queue: "nearcast-jobs-dead" });
    expect(seen.every((tries) => tries > 100)).toBe(true);
    expect(fates).toEqual({ ended: "acked", "no store": "retried after 60" });
    expect(sent).toEqual([]);
    await hand(["again"], { attempts: 4 });
    expect(seen.at(-1)).toBe(4);
  });

  test("a dead letter whose job has ended leaves the dead, and its webhook is no try of it", async () => {
    const { consume, hand, sent, fates } = open();
    consume(async () => ({ retryAfterSeconds: 300, hasEnded: true }), 1);
    await hand(["told later"], { queue: "nearcast-jobs-dead" });
    expect(sent).toEqual([["told later", 300]]);
    expect(fates).toEqual({ "told later": "acked" });
  });

  test("not more of a batch are handled at once than asked", async () => {
    const { consume, hand } = open();
    const ends: (() => void)[] = [];
    consume(() => new Promise((resolve) => ends.push(() => resolve("done"))), 2);
    const handing = hand(["a", "b", "c"]);
    expect(ends).toHaveLength(2);
    ends[0]?.();
    await vi.waitFor(() => expect(ends).toHaveLength(3), 30_000);
    for (const end of ends) end();
    await handing;
  });

  test("without an app that runs jobs the batch fails, and comes again", async () => {
    await expect(open().hand(["a"])).rejects.toThrow(/No app/);
  });

  test("the message is sent once its job is written, and not without", async () => {
    const { queue, sent } = open();
    await queue.send("a", async () => expect(sent).toEqual([]));
    const unwritten = queue.send("b", () => Promise.reject(new Error("no store")));
    await expect(unwritten).rejects.toThrow("no store");
    expect(sent).toEqual([["a", 1]]);
  });

  describe("whose batch takes long", () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
    afterEach(() => void vi.useRealTimers());

    test("leaves the rest to another invocation", async () => {
      const { consume, hand, sent, fates } = open();
      const seen: string[] = [];
      consume(async (key) => {
        seen.push(key);
        vi.setSystemTime(Date.now() + 61_000);
        return "done";
      }, 1);
      await hand(["long", "next"]);
      expect(seen).toEqual(["long"]);
      expect(sent).toEqual([["next", 0]]);
      expect(fates).toEqual({ long: "acked", next: "acked" });
    });
  });
});
