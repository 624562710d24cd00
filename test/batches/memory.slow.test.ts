import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { residentMemory } from "../../bench/processes.ts";
import { heapBytes } from "../harness/heap.ts";
import { START, startNodeServer, V8_FLAGS } from "../harness/node-server.ts";
import { flowerLines, HEADER, type Shown } from "./flowers.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const ROWS = 400_000;
/** What was garbage when it was looked at, and not yet collected. */
const SLACK_MIB = 12;

test.runIf(hasSqlite && process.platform === "linux")(
  "memory does not grow with the rows of a batch: neither what is held, nor what is resident",
  { timeout: 400_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-batch-memory-"));
    const server = await startNodeServer({
      entry: START.at(-1) ?? "",
      nodeFlags: [...V8_FLAGS, "--inspect=127.0.0.1:0"],
      env: { STORE: "models", JOBS_FILE: join(folder, "jobs.sqlite"), ACCESS_LOG: "false" },
    });
    onTestFinished(async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    });
    const inspector = new URL(/ws:\/\/\S+/.exec(server.logs)?.[0] ?? "");
    const held = async () => (await heapBytes(inspector, () => sleep(5))) / 2 ** 20;
    const batch = async () => (await (await server.fetch("/v1/batches/flat")).json()) as Shown;
    const made = await server.fetch("/v1/batches/flat?model=iris", {
      method: "PUT",
      headers: { "Content-Type": "text/csv" },
      body: HEADER + flowerLines(ROWS).join(""),
    });
    expect(made.status).toBe(202);

    /** The most that was resident until so many rows were done, and what is held then. */
    async function until(rows: number) {
      let resident = 0;
      for (;;) {
        const { status, counts } = await batch();
        resident = Math.max(resident, (await residentMemory(server.pid)).now);
        if (counts.completed + counts.failed >= rows) return { resident, held: await held() };
        expect(["validating", "running"]).toContain(status);
        await sleep(50);
      }
    }
    const early = await until(ROWS / 4);
    await until(ROWS / 2);
    const late = await until(ROWS * 0.9);
    expect(late.held).toBeLessThan(early.held + SLACK_MIB);
    expect(late.resident).toBeLessThan(early.resident + 4 * SLACK_MIB);
    await expect.poll(async () => (await batch()).status, { timeout: 60_000 }).toBe("succeeded");
    expect(await held()).toBeLessThan(early.held + SLACK_MIB);
  },
);
