import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import type { Handle } from "../../functions/jobs/queue.ts";
import { createSqliteQueue } from "../../functions/platform/queue/sqlite.ts";
import { createSqlite } from "../../functions/platform/sqlite.ts";
import { queueContract, type QueueUnderTest } from "./queue-contract.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

describe.runIf(hasSqlite)("the embedded queue", () => {
  for (const { name, run } of queueContract(open)) test.concurrent(name, run);
});

async function open(): Promise<QueueUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-queue-"));
  const file = join(folder, "queue.sqlite");
  const sender = connect(file);
  return {
    queue: sender.queue,
    consume(handle: Handle) {
      const { consume, database } = connect(file);
      return { stop: consume(handle, 2), kill: () => database().close() };
    },
    outOfReach: () => sender.database().exec("PRAGMA query_only = ON"),
    backInReach: () => sender.database().exec("PRAGMA query_only = OFF"),
  };
}

/** As a process has it that shares the file with others. */
function connect(file: string) {
  const sqlite = createSqlite(file);
  if (!sqlite) throw new Error("This Node has no SQLite.");
  const times = { leaseMs: 600, writingMs: 2000 };
  return { ...createSqliteQueue(sqlite, () => {}, times), database: () => sqlite.open() };
}
