import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { createProcessPool } from "../../functions/runtime/process-pool.ts";

const KIB_OF_MIB = 1024;

/** Of the largest process that this one started, in KiB. */
function residentOfChild(): number {
  const lines = execFileSync("ps", ["-A", "-o", "ppid=,rss="], { encoding: "utf8" }).split("\n");
  const children = lines
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([parent]) => parent === process.pid);
  return Math.max(...children.map(([, resident = 0]) => resident));
}

test.skipIf(process.platform === "win32")(
  "an artifact that cannot be loaded leaves nothing behind, however often it is asked for",
  async () => {
    const pool = createProcessPool({
      workers: 1,
      threads: 1,
      memoryBytes: 2 ** 32,
      log: () => undefined,
    });
    const fail = async (times: number) => {
      for (let time = 0; time < times; time++)
        await expect(pool.load({ bytes: new Uint8Array(1000) })).rejects.toThrow();
    };
    await fail(2000);
    const before = residentOfChild();
    await fail(4000);
    // 7 KiB each, when they were kept.
    expect(residentOfChild() - before).toBeLessThan(14 * KIB_OF_MIB);
  },
);
