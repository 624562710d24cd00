import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";

/** Another process may write for so long. */
const BUSY_MS = 5000;
/** SQLite's own size of a page. */
const PAGE_BYTES = 4096;

/** A database in a file, which is made when it is first opened. */
export interface Sqlite {
  open(): DatabaseSync;
  exists(): boolean;
}

/**
 * Node's own SQLite. Undefined where this Node has none. Processes of one machine may share the file. What would make it longer
 * than `maxBytes` fails.
 */
export function createSqlite(file: string, maxBytes = Infinity): Sqlite | undefined {
  const sqlite = process.getBuiltinModule?.("node:sqlite") as
    | typeof import("node:sqlite")
    | undefined;
  if (!sqlite) return undefined;
  let opened: DatabaseSync | undefined;
  return {
    open() {
      if (opened) return opened;
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      opened = new sqlite.DatabaseSync(file, { timeout: BUSY_MS });
      opened.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
      const pages = Math.min(Math.ceil(maxBytes / PAGE_BYTES), 2 ** 31);
      opened.exec(`PRAGMA max_page_count = ${pages};`);
      return opened;
    },
    exists: () => opened !== undefined || existsSync(file),
  };
}
