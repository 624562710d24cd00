import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { createDeferred } from "../../functions/deferred.ts";
import type { Jobs } from "../../functions/jobs/jobs.ts";
import type { Handle, Outcome, Queue } from "../../functions/jobs/queue.ts";
import type { ContractCase } from "../../functions/testing.ts";
import { jobsOver, until, WEBHOOK } from "./jobs-over.ts";
import { withClock } from "./skewed-clocks.ts";

/** A queue of its own, empty, with levers. */
export interface QueueUnderTest {
  queue: Queue;
  /**
   * Has messages handed to `handle`, in a process of its own, as far as the queue can tell. With a platform that hands
   * messages to the code, `handle` is what that code calls. Two at once are enough.
   */
  consume: (handle: Handle) => Consumer;
  /** Puts the queue out of reach of those who send. Absent where that cannot happen. */
  outOfReach?: () => void | Promise<void>;
  backInReach?: () => void | Promise<void>;
}

export interface Consumer {
  /** Takes no further messages, and waits for those that are handled. */
  stop: () => Promise<void>;
  /** The process ends at once: what its handlers return is never heard. */
  kill: () => void | Promise<void>;
}

/** How long nothing comes that will not come at all. */
const QUIET_MS = 1500;

/** How often a job is removed and made again. */
const ROUNDS = 20;

/** How wrong the clocks are of those who make jobs and run them. */
const SKEWS_MS = [-10 * 60_000, 10 * 60_000];

const nothing = async () => {};
const never: Handle = () => new Promise(() => {});

/**
 * What every driver of a queue must do. `open` gives an empty queue. A message whose consumer was killed must come again
 * within some seconds: give the queue a short lease. Each case takes some seconds, and all may run at once.
 *
 * @example for (const { name, run } of queueContract(open)) test.concurrent(name, run);
 */
export function queueContract(open: () => QueueUnderTest | Promise<QueueUnderTest>) {
  return Object.entries(CASES).map(([name, check]): ContractCase => ({
    name,
    run: async () => check(await open()),
  }));
}

const CASES: Record<string, (tested: QueueUnderTest) => Promise<void>> = {
  async "every message is handled, whenever it was sent, and none again that is done"(tested) {
    const before = freshKeys(5);
    for (const key of before) await tested.queue.send(key, nothing);
    const handled: string[] = [];
    const handle: Handle = async (key) => {
      handled.push(key);
      return "done";
    };
    const consumers = [tested.consume(handle), tested.consume(handle)];
    const after = freshKeys(5);
    await Promise.all(after.map((key) => tested.queue.send(key, nothing)));
    // In any order, and more than once at the most where a queue gives no better promise.
    const all = [...before, ...after].toSorted();
    await until(() => [...new Set(handled)].toSorted(), all);
    const count = handled.length;
    await sleep(QUIET_MS);
    expect(handled).toHaveLength(count);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  },

  async "a consumer that was stopped gets no further message"(tested) {
    const [key = ""] = freshKeys(1);
    const seen = recorder();
    await tested.consume(seen.handle).stop();
    await tested.queue.send(key, nothing);
    await sleep(QUIET_MS);
    expect(seen.tries(key)).toEqual([]);
    const other = tested.consume(seen.handle);
    await until(() => seen.tries(key), [1]);
    await other.stop();
  },

  async "a message that is wanted again comes after its time, and that is no try"(tested) {
    const [key = ""] = freshKeys(1);
    const times: number[] = [];
    const seen = recorder((_key, count) => {
      times.push(Date.now());
      return count === 3 ? "done" : { retryAfterSeconds: 1 };
    });
    const consumer = tested.consume(seen.handle);
    await tested.queue.send(key, nothing);
    await until(() => seen.tries(key), [1, 1, 1]);
    for (const [index, time] of times.entries())
      if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(950);
    await consumer.stop();
  },

  async "a message comes again whose consumer was killed, as one more try"(tested) {
    const [key = ""] = freshKeys(1);
    const dead = recorder();
    const first = tested.consume((...message) => (void dead.handle(...message), never(...message)));
    await tested.queue.send(key, nothing);
    await until(() => dead.tries(key), [1]);
    await first.kill();
    const seen = recorder();
    const second = tested.consume(seen.handle);
    await until(() => seen.tries(key), [2]);
    await second.stop();
  },

  async "a key that is sent again while its message is handled has another one"(tested) {
    const [key = ""] = freshKeys(1);
    const { promise: first, resolve: finish } = createDeferred<Outcome>();
    const seen = recorder((_key, count) => (count === 1 ? first : "done"));
    const consumers = [tested.consume(seen.handle), tested.consume(seen.handle)];
    await tested.queue.send(key, nothing);
    await until(() => seen.tries(key), [1]);
    await tested.queue.send(key, nothing);
    finish("done");
    await until(() => seen.tries(key).length > 1, true);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  },

  async "what could not be written has no message"(tested) {
    const [key = ""] = freshKeys(1);
    const seen = recorder();
    const consumer = tested.consume(seen.handle);
    const sending = tested.queue.send(key, () => Promise.reject(new Error("no store")));
    await expect(sending).rejects.toThrow("no store");
    // A driver may keep it for as long as a write may take.
    await sleep(2 * QUIET_MS);
    expect(seen.tries(key)).toEqual([]);
    await consumer.stop();
  },

  async "a job that is delivered twice has one result"(tested) {
    const { jobs, make, endOf, messageOf } = await jobsOver(tested.queue);
    await make("twice");
    const key = await messageOf("twice");
    await tested.queue.send(key, nothing);
    const consumers = [work(tested, jobs), work(tested, jobs)];
    const job = await endOf("twice");
    expect(job.events.map(({ status }) => status)).toEqual(["queued", "running", "succeeded"]);
    await sleep(QUIET_MS);
    expect(await endOf("twice")).toEqual(job);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  },

  async "a job that is delivered twice tells its webhook once"(tested) {
    for (const beginsWebhooks of [false, true]) {
      const { jobs, make, read, messageOf, posted } = await jobsOver(tested.queue, {
        beginsWebhooks,
      });
      const id = `told-${beginsWebhooks}`;
      await make(id, id, WEBHOOK);
      const message = await messageOf(id);
      const consumers = [work(tested, jobs), work(tested, jobs)];
      await tested.queue.send(message, nothing);
      await until(async () => (await read(id)).webhook?.deliveredAt !== undefined, true);
      // And after its end.
      await tested.queue.send(message, nothing);
      await sleep(QUIET_MS);
      expect(posted()).toEqual([(await read(id)).webhook?.id]);
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    }
  },

  async "a job that ends its process each time is given up, and says so"(tested) {
    const { jobs, make, endOf, told, read } = await jobsOver(tested.queue);
    await make("poison");
    let tries = 0;
    for (let isOver = false; !isOver; isOver = (await read("poison")).status === "failed") {
      const consumer = tested.consume((key, count) => jobs.run(key, count, performNever));
      async function performNever(): Promise<never> {
        tries++;
        await consumer.kill();
        return new Promise(() => {});
      }
      const before = tries;
      const hasEnded = async () => tries > before || (await read("poison")).status === "failed";
      await until(hasEnded, true);
      if (tries === before) await consumer.stop();
    }
    expect(tries).toBe(5);
    const { status, text } = await endOf("poison");
    expect([status, text]).toEqual(["failed", expect.stringMatching(/given up: 5 times/)]);
    expect(told()).toEqual(["queued", "failed"]);
  },

  async "clocks that differ by twenty minutes: each job has one answer, and none waits for them"(
    tested,
  ) {
    const { jobs, make, read, endOf, told } = await jobsOver(tested.queue);
    const ran: number[] = [];
    const consumers = SKEWS_MS.map((skew) =>
      withClock(skew, () =>
        tested.consume((message, tries) =>
          withClock(skew, () =>
            jobs.run(message, tries, async (_job, body) => {
              ran.push(skew);
              await sleep(20);
              return { status: 200, headers: {}, body };
            }),
          ),
        ),
      ),
    );
    const ids = Array.from({ length: 12 }, (_, index) => `skewed-${index}`);
    await Promise.all(
      ids.map((id, index) => withClock(SKEWS_MS[index % 2] ?? 0, () => make(id, id))),
    );
    for (const id of ids) {
      const { text, events } = await endOf(id);
      expect(text).toBe(id);
      expect(events.filter(({ status }) => status === "succeeded")).toHaveLength(1);
    }
    // It is counted after the job was written.
    await until(() => told().filter((status) => status === "succeeded").length, ids.length);
    const times = (await Promise.all(ids.map(read))).flatMap(({ events }) => events);
    const spread = Math.max(...times.map(({ at }) => at)) - Math.min(...times.map(({ at }) => at));
    expect(spread).toBeGreaterThan(19 * 60_000);
    expect(new Set(ran)).toEqual(new Set(SKEWS_MS));
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  },

  async "a job that could not be written is refused, does not run, and can be made later"(tested) {
    const { jobs, make, endOf, objects, failing } = await jobsOver(tested.queue);
    // The request is written, and the job is not.
    let writes = 0;
    failing.beforePut = () => {
      if (++writes > 1) throw new Error("no space is left");
    };
    await expect(make("unwritten")).rejects.toMatchObject({ code: "store_unavailable" });
    delete failing.beforePut;
    const consumer = work(tested, jobs);
    await until(objects, []);
    await make("unwritten");
    expect((await endOf("unwritten")).status).toBe("succeeded");
    await consumer.stop();
  },

  async "with the queue out of reach no job is made, and nothing of it is there"(tested) {
    if (!tested.outOfReach) return;
    const { jobs, make, endOf, read, objects } = await jobsOver(tested.queue);
    await tested.outOfReach();
    await expect(make("later")).rejects.toMatchObject({
      code: "overloaded",
      headers: { "Retry-After": expect.any(String) as string },
    });
    await expect(read("later")).rejects.toMatchObject({ code: "not_found" });
    expect(await objects()).toEqual([]);
    await tested.backInReach?.();
    await until(async () => make("later").then(() => "made", String), "made");
    const consumer = work(tested, jobs);
    expect((await endOf("later")).status).toBe("succeeded");
    await consumer.stop();
  },

  async "a queue that goes out of reach while a job is written: it is refused whole, or runs"(
    tested,
  ) {
    if (!tested.outOfReach) return;
    const { jobs, make, endOf, objects, failing } = await jobsOver(tested.queue);
    failing.beforePut = tested.outOfReach;
    const made = await make("halfway").then(
      () => true,
      () => false,
    );
    delete failing.beforePut;
    await tested.backInReach?.();
    const consumer = work(tested, jobs);
    if (made) expect((await endOf("halfway")).status).toBe("succeeded");
    else expect(await objects()).toEqual([]);
    await consumer.stop();
  },

  async "the message of a job that was removed ends"(tested) {
    const { jobs, make, remove, messageOf } = await jobsOver(tested.queue);
    await make("removed");
    const removed = await messageOf("removed");
    await remove("removed");
    const seen = recorder();
    const consumer = tested.consume(async (key, tries) => {
      await seen.handle(key, tries);
      return jobs.run(key, tries, () => Promise.reject(new Error("it runs")));
    });
    await until(() => seen.tries(removed), [1]);
    await sleep(QUIET_MS);
    expect(seen.tries(removed)).toEqual([1]);
    await consumer.stop();
  },

  async "a job that is removed and made again at once has its own answer, never one before"(
    tested,
  ) {
    const { jobs, make, remove, endOf, objects, told } = await jobsOver(tested.queue);
    const ran: string[] = [];
    const slowly = () =>
      tested.consume((message, tries) =>
        jobs.run(message, tries, async (_job, body) => {
          ran.push(new TextDecoder().decode(body));
          await sleep(Math.random() * 40);
          return { status: 200, headers: {}, body };
        }),
      );
    const consumers = [slowly(), slowly()];
    const ids = ["again-1", "again-2", "again-3", "again-4"];
    await Promise.all(
      ids.map(async (id) => {
        for (let round = 0; round < ROUNDS; round++) {
          await make(id, `${id} ${round}`);
          await sleep(Math.random() * 30);
          await remove(id);
        }
        await make(id, `${id} last`);
      }),
    );
    for (const id of ids) {
      const { text, events } = await endOf(id);
      expect(text).toBe(`${id} last`);
      expect(events.map(({ status }) => status)).toEqual(["queued", "running", "succeeded"]);
    }
    expect(told()).not.toContain("failed");
    // Nothing of those that were removed comes back, and nothing of them stays.
    await until(async () => (await objects()).length, 2 * ids.length);
    const count = ran.length;
    await sleep(QUIET_MS);
    expect(ran).toHaveLength(count);
    expect(await objects()).toHaveLength(2 * ids.length);
    await Promise.all(consumers.map((consumer) => consumer.stop()));
  },
};

function work({ consume }: QueueUnderTest, jobs: Jobs): Consumer {
  return consume((key, tries) =>
    jobs.run(key, tries, async (_job, body) => ({ status: 200, headers: {}, body })),
  );
}

/** A handler that keeps what it was told. `answer` gets how often it saw this key. */
function recorder(
  answer: (key: string, count: number) => Outcome | Promise<Outcome> = () => "done",
) {
  const seen = new Map<string, number[]>();
  return {
    tries: (key: string) => seen.get(key) ?? [],
    handle: async (key: string, tries: number) => {
      const all = [...(seen.get(key) ?? []), tries];
      seen.set(key, all);
      return answer(key, all.length);
    },
  };
}

function freshKeys(count: number): string[] {
  return Array.from({ length: count }, () => crypto.randomUUID().replaceAll("-", ""));
}
