import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";

/** Another process may write for so long. */
const BUSY_MS = 5000;

/** A database in a file, which is made when it is first opened. */
export interface Sqlite {
  open(): DatabaseSync;
  exists(): boolean;
}

/** Node's own SQLite. Undefined where this Node has none. Processes of one machine may share the file. */
export function createSqlite(file: string): Sqlite | undefined {
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
      return opened;
    },
    exists: () => opened !== undefined || existsSync(file),
  };
}
