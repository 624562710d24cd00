import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Handle } from "../../functions/jobs/queue.ts";
import { createSqlite } from "../../functions/platform/sqlite.ts";
import { createSqliteQueue } from "../../functions/platform/queue/sqlite.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

/** Lets so much time pass, with all looks that fall into it. */
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

const nothing = async () => {};
const never: Handle = () => new Promise(() => {});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "nearcast-queue-"));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

function open(file: string) {
  const sqlite = createSqlite(file);
  if (!sqlite) throw new Error("This Node has no SQLite.");
  return createSqliteQueue(sqlite, (entry) => expect.unreachable(JSON.stringify(entry)));
}

describe.runIf(hasSqlite)("the embedded queue", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date", "setInterval", "clearInterval"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("each message is handled, also those of another process and from before a restart", async () => {
    const file = join(await folder(), "below/queue.sqlite");
    const first = open(file);
    for (const key of ["a", "b", "c"]) await first.queue.send(key, nothing);
    const handled: string[] = [];
    const second = open(file);
    const stop = second.consume(async (key, tries) => {
      handled.push(`${key} ${tries}`);
      return "done";
    }, 2);
    await pass(500);
    expect(handled.toSorted()).toEqual(["a 1", "b 1", "c 1"]);
    await first.queue.send("d", nothing);
    await pass(500);
    expect(handled).toHaveLength(4);
    await pass(120_000);
    expect(handled).toHaveLength(4);
    await stop();
    await first.queue.send("e", nothing);
    await pass(120_000);
    expect(handled).toHaveLength(4);
  });

  test("not more are handled at once than asked, and waiting ones follow at once", async () => {
    const { queue, consume } = open(join(await folder(), "queue.sqlite"));
    const ends: (() => void)[] = [];
    consume(() => new Promise((resolve) => ends.push(() => resolve("done"))), 2);
    for (const key of ["a", "b", "c"]) await queue.send(key, nothing);
    expect(ends).toHaveLength(2);
    ends[0]?.();
    await vi.waitFor(() => expect(ends).toHaveLength(3), 30_000);
  });

  test("a message that is wanted again comes after its time", async () => {
    const { queue, consume } = open(join(await folder(), "queue.sqlite"));
    const tries: number[] = [];
    consume(async (_key, count) => {
      tries.push(count);
      return tries.length < 3 ? { retryAfterSeconds: 60 } : "done";
    }, 1);
    await queue.send("a", nothing);
    await pass(59_000);
    expect(tries).toEqual([1]);
    await pass(3_600_000);
    // The handler settled each time: these are no tries of processes that ended.
    expect(tries).toEqual([1, 1, 1]);
  });

  test("a message whose handler's process ended goes to another, with one more try", async () => {
    const file = join(await folder(), "queue.sqlite");
    const dead = open(file);
    dead.consume(never, 1);
    await dead.queue.send("a", nothing);
    // The process ends: nothing renews its lease any more.
    vi.clearAllTimers();
    const seen: number[] = [];
    open(file).consume(async (_key, tries) => {
      seen.push(tries);
      return "done";
    }, 1);
    await pass(29_000);
    expect(seen).toEqual([]);
    await pass(2000);
    expect(seen).toEqual([2]);
  });

  test("a handler that takes long keeps its message", async () => {
    const file = join(await folder(), "queue.sqlite");
    const slow = open(file);
    slow.consume(never, 1);
    await slow.queue.send("a", nothing);
    const seen: string[] = [];
    open(file).consume(async (key) => {
      seen.push(key);
      return "done";
    }, 1);
    await pass(300_000);
    expect(seen).toEqual([]);
  });

  test("what could not be written leaves no message", async () => {
    const { queue, consume } = open(join(await folder(), "queue.sqlite"));
    const seen: string[] = [];
    consume(async (key) => {
      seen.push(key);
      return "done";
    }, 1);
    const failing = queue.send("a", () => Promise.reject(new Error("no store")));
    await expect(failing).rejects.toThrow("no store");
    await pass(120_000);
    expect(seen).toEqual([]);
  });
});
