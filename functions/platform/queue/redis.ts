import type { Consume, Handle, Queue } from "../../jobs/queue.ts";
import type { Redis } from "../redis.ts";
import { redisStream } from "./redis-stream.ts";

const LEASE_MS = 30_000;
/** Longer than a job takes to be written. */
const WRITING_MS = 30_000;
/** How often other processes' messages, and those whose time has come, are looked for. */
const LOOK_MS = 500;
const MOST_WAITING = 100_000;

type Stream = ReturnType<typeof redisStream>;
type Message = Awaited<ReturnType<Stream["take"]>>[number];

/** The name of the queue. Undefined while it has none, which `isNeeded` ends. Rejects where that cannot be known. */
export type NameQueue = (isNeeded: boolean) => Promise<string | undefined>;

/**
 * A queue in Redis (6.2 or later), for all who give it the same name. A handler that was not heard of for `leaseMs` is
 * dead, and its message goes to another. A sender that has not written after `writingMs` is dead too.
 */
export function createRedisQueue(
  redis: Redis,
  nameQueue: NameQueue,
  log: (entry: Record<string, unknown>) => void,
  { leaseMs = LEASE_MS, writingMs = WRITING_MS, mostWaiting = MOST_WAITING } = {},
): { queue: Queue; consume: Consume } {
  let stream: Stream | undefined;
  let isFailing = false;
  let wake: (() => void) | undefined;

  async function open(isNeeded: boolean): Promise<Stream | undefined> {
    if (stream) return stream;
    const name = await nameQueue(isNeeded);
    return name === undefined ? undefined : (stream ??= redisStream(redis, name));
  }

  /** Reports only the first of many failures. */
  async function tried<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      isFailing = false;
      return result;
    } catch (error) {
      if (!isFailing)
        log({ level: "error", message: "jobs: queue out of reach", error: String(error) });
      isFailing = true;
      return undefined;
    }
  }

  const queue: Queue = {
    async send(key, write) {
      const opened = await open(true);
      // Before the writing: a process that ends in between leaves no job without its message.
      if (!(await opened?.hold(key, writingMs, mostWaiting)))
        throw new Error(`${mostWaiting} jobs wait already`);
      await write().catch(async (error: unknown) => {
        await tried(async () => opened?.withdraw(key));
        throw error;
      });
      // Where this fails, the message comes after its time for writing.
      await tried(async () => opened?.add(key));
      wake?.();
    },
  };

  function consume(handle: Handle, atOnce: number): () => Promise<void> {
    const ongoing = new Set<Promise<void>>();
    let looking: Promise<void> | undefined;
    let isWanted = false;
    let ended = false;
    let isPrepared = false;
    let movedAt = -Infinity;
    let claimedAt = -Infinity;

    async function work(from: Stream, message: Message): Promise<void> {
      const beat = setInterval(() => void tried(() => from.renew(message)), leaseMs / 3);
      const outcome = await handle(message.key, message.tries);
      clearInterval(beat);
      // Where this fails, the message comes again after its lease.
      await tried(async () =>
        outcome === "done"
          ? from.done(message)
          : from.again(message, outcome.retryAfterSeconds * 1000),
      );
    }

    async function take(from: Stream): Promise<Message[]> {
      const free = atOnce - ongoing.size;
      if (ended || free <= 0) return [];
      try {
        if (!isPrepared) await from.prepare();
        isPrepared = true;
        if (performance.now() - movedAt > LOOK_MS / 2) {
          await from.moveDue();
          movedAt = performance.now();
        }
        // As often as those that live renew theirs.
        if (performance.now() - claimedAt > leaseMs / 3) {
          const claimed = await from.claim(free, leaseMs);
          if (claimed.length > 0) return claimed;
          claimedAt = performance.now();
        }
        return await from.take(free);
      } catch (error) {
        // The group may be gone: a Redis that keeps nothing was started again.
        isPrepared = false;
        throw error;
      }
    }

    async function lookOnce(): Promise<void> {
      const from = await open(false);
      if (!from) return;
      for (const message of await take(from)) {
        const done = work(from, message).finally(() => {
          ongoing.delete(done);
          look();
        });
        ongoing.add(done);
      }
    }

    function look(): void {
      isWanted = true;
      looking ??= (async () => {
        while (isWanted) {
          isWanted = false;
          await tried(lookOnce);
        }
        looking = undefined;
      })();
    }

    const timer = setInterval(look, LOOK_MS).unref();
    wake = look;
    return async () => {
      ended = true;
      clearInterval(timer);
      await looking;
      await Promise.all(ongoing);
    };
  }

  return { queue, consume };
}
