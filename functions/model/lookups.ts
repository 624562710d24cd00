import { LRUCache } from "lru-cache";
import { ageOf } from "../age.ts";
import { createDeferred, type Deferred } from "../deferred.ts";
import { NearcastError } from "../errors.ts";
import { within } from "../within.ts";

/** How long a key counts as absent after a read did not find it. A first push shows after this time at most. */
const ABSENT_MS = 3000;
const MOST_ABSENT = 10_000;
/** Most reads at a time. The store's client has more connections; the rest are for known models. */
const MOST_READS = 16;
/** After a failed list, waits this long before it asks the store for a list again. */
const LIST_AGAIN_MS = 30_000;

/** Reads keys that callers have named. The names may be made up. */
export interface Lookups {
  /**
   * The result of `read` for the key. Undefined, without a read, when the store did not have the key a moment ago.
   * Rejects as `read` does, and with `overloaded` when too many other names are being looked up.
   */
  find<T>(key: string, read: () => Promise<T | undefined>): Promise<T | undefined>;
}

type Answer = "read" | "present" | "absent";

interface Waiting {
  key: string;
  answer: Deferred<Answer>;
}

/**
 * Keeps made-up names from costing the store much, and from delaying calls of real models. Remembers absent keys for a
 * moment. Reads only a few keys at a time. When more names wait, one list of the store shows which of them exist.
 */
export function createLookups(options: {
  /** All keys of the store. */
  list: () => Promise<string[]>;
  /** The longest time for which an absent key is remembered. */
  ttlMs: number;
  /** The longest wait for other lookups. */
  patienceMs: number;
  /** Whether no request may wait for another. Reads are not limited then. */
  isolated: boolean;
  waitUntil: (promise: Promise<unknown>) => void;
}): Lookups {
  const absentMs = Math.min(ABSENT_MS, options.ttlMs);
  const absent = new LRUCache<string, number>({
    // With `max` it would take all its memory at the start.
    maxSize: MOST_ABSENT,
    sizeCalculation: () => 1,
  });
  const waiting = new Set<Waiting>();
  let reading = 0;
  let roster: { keys: ReadonlySet<string>; listedAt: number } | undefined;
  let isListing = false;
  let listFailedAt = -Infinity;

  async function list(): Promise<void> {
    if (isListing || ageOf(listFailedAt) < LIST_AGAIN_MS) return;
    isListing = true;
    const listedAt = Date.now();
    try {
      const keys = new Set((await options.list()).filter((key) => NAMED.test(key)));
      roster = { keys, listedAt };
      for (const { key, answer } of waiting) answer.resolve(keys.has(key) ? "present" : "absent");
      waiting.clear();
    } catch {
      listFailedAt = Date.now();
    } finally {
      isListing = false;
    }
  }

  async function ask(key: string): Promise<Answer> {
    if (options.isolated) return "present";
    if (reading < MOST_READS) {
      reading += 1;
      return "read";
    }
    if (roster && ageOf(roster.listedAt) < absentMs)
      return roster.keys.has(key) ? "present" : "absent";
    roster = undefined;
    options.waitUntil(list());
    const waiter = { key, answer: createDeferred<Answer>() };
    waiting.add(waiter);
    return within(waiter.answer.promise, options.patienceMs, () => {
      // The lookup was answered at the same moment.
      if (!waiting.delete(waiter)) return waiter.answer.promise;
      throw new NearcastError("overloaded", "Too many requests name unknown models.", {
        retryAfterSeconds: Math.ceil(ABSENT_MS / 1000),
      });
    });
  }

  function passOn(): void {
    for (const waiter of waiting) {
      waiting.delete(waiter);
      return waiter.answer.resolve("read");
    }
    reading -= 1;
  }

  return {
    async find(key, read) {
      const missedAt = absent.get(key);
      if (missedAt !== undefined && ageOf(missedAt) < absentMs) return undefined;
      const answer = await ask(key);
      if (answer === "absent") return undefined;
      try {
        const askedAt = Date.now();
        const found = await read();
        if (found === undefined) absent.set(key, askedAt);
        return found;
      } finally {
        if (answer === "read") passOn();
      }
    },
  };
}

/** The kinds of keys that callers can name: a model's release and a version's manifest. */
const NAMED = /\/(?:release|model)\.json$/;
