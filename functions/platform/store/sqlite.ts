import { createHash } from "node:crypto";
import { setImmediate as turnEventLoop } from "node:timers/promises";
import { MAX_UNTOLD_BYTES, StoreRefusal, type Store } from "../../model/store.ts";
import { TooManyBytes } from "../../read-at-most.ts";
import type { Sqlite } from "../sqlite.ts";

/** SQLite's code for a file that may not grow, and for a full disk. */
const SQLITE_FULL = 13;

interface Row {
  bytes: Uint8Array;
  etag: string;
}

/**
 * A table of a database as a store. ETags are digests of the content. SQLite answers at once: each operation has a turn of the
 * event loop, or a batch's work, which is one after the other, would keep everybody waiting.
 */
export function createSqliteStore(sqlite: Sqlite): Store {
  let prepared: ReturnType<typeof statements> | undefined;
  const open = () => (prepared ??= statements(sqlite));

  return {
    async get(key, { ifNoneMatch, maxBytes = MAX_UNTOLD_BYTES } = {}) {
      await turnEventLoop();
      if (!sqlite.exists()) return undefined;
      const found = open().get.get(key) as Row | undefined;
      if (found && found.bytes.byteLength > maxBytes) throw new TooManyBytes(key, maxBytes);
      return found && found.etag === ifNoneMatch ? "not-modified" : found;
    },
    async head(key) {
      await turnEventLoop();
      const found = open().head.get(key) as { etag: string; size: number } | undefined;
      return found && { ...found };
    },
    async slice(key, start, end) {
      await turnEventLoop();
      if (!sqlite.exists()) return undefined;
      const found = open().slice.get(start + 1, end - start, key) as Pick<Row, "bytes"> | undefined;
      return found?.bytes;
    },
    async list(prefix) {
      await turnEventLoop();
      const rows = open().list.all(prefix, `${prefix}\u{10FFFF}`) as { key: string }[];
      const keys = rows.map(({ key }) => key);
      return keys.filter((key) => !key.slice(prefix.length).startsWith("."));
    },
    async put(key, bytes, condition) {
      await turnEventLoop();
      const etag = createHash("sha256").update(bytes).digest("hex");
      const { put, create, change } = open();
      try {
        const { changes } = !condition
          ? put.run(key, bytes, etag)
          : "ifNoneMatch" in condition
            ? create.run(key, bytes, etag)
            : change.run(bytes, etag, key, condition.ifMatch);
        return Number(changes) > 0 ? etag : undefined;
      } catch (error) {
        if ((error as { errcode?: number }).errcode !== SQLITE_FULL) throw error;
        throw new StoreRefusal("its file or its disk is full", error as Error);
      }
    },
    async delete(key) {
      await turnEventLoop();
      if (sqlite.exists()) open().remove.run(key);
    },
  };
}

function statements(sqlite: Sqlite) {
  const database = sqlite.open();
  database.exec(
    "CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, bytes BLOB NOT NULL, etag TEXT NOT NULL) STRICT;",
  );
  return {
    get: database.prepare("SELECT bytes, etag FROM objects WHERE key = ?"),
    head: database.prepare("SELECT etag, length(bytes) AS size FROM objects WHERE key = ?"),
    slice: database.prepare("SELECT substr(bytes, ?, ?) AS bytes FROM objects WHERE key = ?"),
    list: database.prepare("SELECT key FROM objects WHERE key >= ? AND key < ? ORDER BY key"),
    put: database.prepare(`
      INSERT INTO objects VALUES (?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes, etag = excluded.etag`),
    create: database.prepare("INSERT OR IGNORE INTO objects VALUES (?, ?, ?)"),
    change: database.prepare("UPDATE objects SET bytes = ?, etag = ? WHERE key = ? AND etag = ?"),
    remove: database.prepare("DELETE FROM objects WHERE key = ?"),
  };
}
