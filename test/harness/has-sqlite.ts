/** Whether this Node has SQLite of its own, where jobs lie without Redis. */
export const hasSqlite = process.getBuiltinModule?.("node:sqlite") !== undefined;
