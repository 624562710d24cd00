import type { DatabaseSync } from "node:sqlite";
import type { Consume, Queue } from "../../jobs/queue.ts";
import type { Sqlite } from "../sqlite.ts";

/** A handler that was not heard of for so long is dead, and its message goes to another. */
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** How often other processes' messages, and those whose time has come, are looked for. */
const LOOK_MS = 500;
const MOST_WAITING = 100_000;
/** Longer than a job takes to be written. */
const WRITING_MS = 30_000;

interface Message {
  key: string;
  tries: number;
}

/** A queue in a table of a database. The database is made with the first message. */
export function createSqliteQueue(
  sqlite: Sqlite,
  log: (entry: Record<string, unknown>) => void,
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
      const { count, add, remove } = open();
      if (Number(count.get(Date.now())?.["waiting"]) >= MOST_WAITING)
        throw new Error(`${MOST_WAITING} jobs wait already`);
      // Before the writing: a process that ends in between leaves no job without its message.
      add.run(key, Date.now() + WRITING_MS);
      await write().catch((error: unknown) => {
        remove.run(key);
        throw error;
      });
      add.run(key, Date.now());
      wake?.();
    },
  };

  return {
    queue,
    consume(handle, atOnce) {
      const ongoing = new Set<Promise<void>>();
      let ended = false;

      async function work({ key, tries }: Message): Promise<void> {
        const { renew, again, remove } = open();
        const beat = setInterval(
          () => tried(() => renew.run(Date.now() + LEASE_MS, key)),
          RENEW_MS,
        );
        const outcome = await handle(key, tries);
        clearInterval(beat);
        // Where this fails, the message comes again after its lease.
        tried(() =>
          outcome === "done"
            ? remove.run(key)
            : again.run(Date.now() + outcome.retryAfterSeconds * 1000, key),
        );
      }

      function take(): Message | undefined {
        if (ended || ongoing.size >= atOnce || !sqlite.exists()) return undefined;
        const now = Date.now();
        return tried(() => open().take.get(now + LEASE_MS, now)) as Message | undefined;
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
    add: database.prepare(`
      INSERT INTO messages VALUES (?, ?, 0)
      ON CONFLICT (key) DO UPDATE SET due = excluded.due, tries = 0`),
    take: database.prepare(`
      UPDATE messages SET due = ?, tries = tries + 1
      WHERE key = (SELECT key FROM messages WHERE due <= ? ORDER BY due LIMIT 1)
      RETURNING key, tries`),
    renew: database.prepare("UPDATE messages SET due = ? WHERE key = ?"),
    again: database.prepare("UPDATE messages SET due = ?, tries = 0 WHERE key = ?"),
    remove: database.prepare("DELETE FROM messages WHERE key = ?"),
  };
}
