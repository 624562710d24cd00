import type { DatabaseSync } from "node:sqlite";
import type { Consume, Queue } from "../../jobs/queue.ts";
import type { Sqlite } from "../sqlite.ts";

const LEASE_MS = 30_000;
/** How often other processes' messages, and those whose time has come, are looked for. */
const LOOK_MS = 500;
const MOST_WAITING = 100_000;
/** Longer than a job takes to be written. */
const WRITING_MS = 30_000;

interface Message {
  key: string;
  tries: number;
  /** From then on it is anybody's. */
  due: number;
}

/**
 * A queue in a table of a database. The database is made with the first message. A handler that was not heard of for
 * `leaseMs` is dead, and its message goes to another. A sender that has not written after `writingMs` is dead too.
 */
export function createSqliteQueue(
  sqlite: Sqlite,
  log: (entry: Record<string, unknown>) => void,
  { leaseMs = LEASE_MS, writingMs = WRITING_MS } = {},
): { queue: Queue; consume: Consume } {
  let prepared: ReturnType<typeof statements> | undefined;
  let wake: (() => void) | undefined;
  const open = () => (prepared ??= statements(sqlite.open()));

  function tried<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      log({ level: "error", message: "jobs: the queue's file failed", error: String(error) });
      return undefined;
    }
  }

  const queue: Queue = {
    // `async`, so that an error of SQLite rejects.
    async send(key, write) {
      const { count, hold, remove, add } = open();
      if (Number(count.get(Date.now())?.["waiting"]) >= MOST_WAITING)
        throw new Error(`${MOST_WAITING} jobs wait already`);
      // Before the writing: a process that ends in between leaves no job without its message.
      const due = Date.now() + writingMs;
      hold.run(key, due);
      await write().catch((error: unknown) => {
        tried(() => remove.run(key, due));
        throw error;
      });
      // Where this fails, the message comes after its time for writing.
      tried(() => add.run(key, Date.now()));
      wake?.();
    },
  };

  return {
    queue,
    consume(handle, atOnce) {
      const ongoing = new Set<Promise<void>>();
      let ended = false;

      async function work({ key, tries, due }: Message): Promise<void> {
        const { again, remove } = open();
        let lease = due;
        const beat = setInterval(() => {
          const next = Date.now() + leaseMs;
          if (tried(() => again.run(next, tries, key, lease))?.changes) lease = next;
        }, leaseMs / 3);
        const outcome = await handle(key, tries);
        clearInterval(beat);
        // Where this fails, the message comes again after its lease.
        tried(() => {
          if (outcome === "done") return remove.run(key, lease);
          const next = Date.now() + outcome.retryAfterSeconds * 1000;
          return again.run(next, 0, key, lease);
        });
      }

      function take(): Message | undefined {
        if (ended || ongoing.size >= atOnce || !sqlite.exists()) return undefined;
        const now = Date.now();
        return tried(() => open().take.get(now + leaseMs, now)) as Message | undefined;
      }

      function look(): void {
        for (let found = take(); found; found = take()) {
          const done = work(found).finally(() => {
            ongoing.delete(done);
            look();
          });
          ongoing.add(done);
        }
      }

      const timer = setInterval(look, LOOK_MS).unref();
      wake = look;
      return async () => {
        ended = true;
        clearInterval(timer);
        await Promise.all(ongoing);
      };
    },
  };
}

function statements(database: DatabaseSync) {
  database.exec(`
    CREATE TABLE IF NOT EXISTS messages (
      key TEXT PRIMARY KEY, due INTEGER NOT NULL, tries INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS messages_due ON messages (due);
  `);
  return {
    count: database.prepare("SELECT count(*) AS waiting FROM messages WHERE due <= ?"),
    hold: database.prepare(`
      INSERT INTO messages VALUES (?, ?, 0)
      ON CONFLICT (key) DO UPDATE SET due = min(due, excluded.due)`),
    add: database.prepare(`
      INSERT INTO messages VALUES (?, ?, 0)
      ON CONFLICT (key) DO UPDATE SET due = excluded.due, tries = 0`),
    take: database.prepare(`
      UPDATE messages SET due = ?, tries = tries + 1
      WHERE key = (SELECT key FROM messages WHERE due <= ? ORDER BY due LIMIT 1)
      RETURNING key, tries, due`),
    // Only while `due` is what it was: a key that was sent again has another message now.
    again: database.prepare("UPDATE messages SET due = ?, tries = ? WHERE key = ? AND due = ?"),
    remove: database.prepare("DELETE FROM messages WHERE key = ? AND due = ?"),
  };
}
