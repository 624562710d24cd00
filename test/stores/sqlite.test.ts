import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { createSqlite } from "../../functions/platform/sqlite.ts";
import { createSqliteStore } from "../../functions/platform/store/sqlite.ts";
import { storeContract } from "../../functions/testing.ts";

const folder = mkdtempSync(join(tmpdir(), "nearcast-sqlite-"));
afterAll(() => rm(folder, { recursive: true }));
const sqlite = createSqlite(join(folder, "store.sqlite"));

describe.runIf(sqlite)("a table as a store", () => {
  for (const { name, run } of storeContract(() => createSqliteStore(sqlite!))) test(name, run);
});
