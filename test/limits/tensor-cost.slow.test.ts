import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { startNodeServer } from "../harness/node-server.ts";
import { targets, type Target } from "../harness/targets.ts";
import { binaryTokens, FORMS, tokens, type Asked } from "./token-requests.ts";

async function ask(
  { fetch }: Pick<Target, "fetch">,
  [path, body, headers]: Asked,
): Promise<{ status: number; text: string }> {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Content-Encoding": "gzip", ...headers },
    body: gzipSync(body),
  });
  return { status: answer.status, text: await answer.text() };
}

const BASKETS: Asked = [
  "/v1/models/retail/predict",
  JSON.stringify({
    inputs: Array.from({ length: 1000 }, () => ["85123A"]),
    parameters: { top_k: 500 },
  }),
  {},
];

describe.each(Object.entries(targets))("on %s", (_name, start) => {
  test("compressed requests that would cost gigabytes are refused, and the next is answered", async () => {
    const target = await start();
    try {
      for (const form of Object.keys(FORMS)) {
        const { status, text } = await ask(target, tokens(form, 1, 30_000));
        expect(status).toBe(422);
        expect(text).toContain("must have at most 128 tokens a row");
      }
      const binary = await ask(target, binaryTokens(1, 60_000));
      expect([binary.status, binary.text]).toEqual([422, expect.stringContaining("has 60000")]);
      for (const asked of [BASKETS, tokens("v2", 60, 128)]) {
        const { status, text } = await ask(target, asked);
        expect([status, text]).toEqual([507, expect.stringContaining("answer_too_large")]);
      }
      expect((await ask(target, tokens("v2", 2, 128))).status).toBe(200);
    } finally {
      await target.stop();
    }
  });
});

/** Of a process and those it started, in MiB. */
function residentMib(pid: number): number {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,rss="], { encoding: "utf8" });
  const own = lines
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([id, parent]) => id === pid || parent === pid);
  return own.reduce((sum, [, , resident = 0]) => sum + resident, 0) / 1024;
}

test.skipIf(process.platform === "win32")(
  "with workers, requests that would have grown a process leave nothing behind",
  async () => {
    const server = await startNodeServer({ env: { AUTH: "none", WORKERS: "2" } });
    try {
      const costly = [binaryTokens(1, 60_000), binaryTokens(100, 600), BASKETS];
      const small = tokens("v2", 1, 128);
      for (let time = 0; time < 10; time++) expect((await ask(server, small)).status).toBe(200);
      const before = residentMib(server.pid);
      const statuses = await Promise.all(
        [...costly, ...costly].map(async (asked) => (await ask(server, asked)).status),
      );
      expect(statuses).toEqual([422, 422, 507, 422, 422, 507]);
      // They grew a process by hundreds of megabytes each.
      expect(residentMib(server.pid) - before).toBeLessThan(400);
      expect((await ask(server, small)).status).toBe(200);
    } finally {
      await server.stop();
    }
  },
);
