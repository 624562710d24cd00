import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Response as LedgerResponse } from "miniflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answersOf, expectAnswered, flowerLines, HEADER } from "../batches/flowers.ts";
import { childrenOf } from "../harness/processes.ts";
import { deployedQueues } from "../harness/targets.ts";
import { startWorker, type WorkerHarness } from "../harness/worker.ts";

const root = join(import.meta.dirname, "../..");
const JSON_TYPE = { "Content-Type": "application/json" };
const KILLS = 30;
const JOBS_EACH = 3;
const ROWS = 20;
const LIMIT_MS = 600_000;
/** The shortest that may be set. */
const TTL_SECONDS = 60;

/** How often each message was sent and not acknowledged yet. */
const ledger = new Map<string, number>();

let directory: string;
let worker: WorkerHarness;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "nearcast-durable-"));
  const args = ["deploy", "test/jobs/durable-worker.ts", "--dry-run", "--outdir", directory];
  await promisify(execFile)(join(root, "node_modules/.bin/wrangler"), args, { cwd: root });
  worker = await startWorker({
    directory,
    compatibilityDate: "2026-10-20",
    vars: { AUTH: "none", MAX_BATCH: `${ROWS}`, ACCESS_LOG: "false" },
    queues: await deployedQueues(),
    fetchers: {
      async LEDGER({ url }) {
        const { pathname, searchParams } = new URL(url);
        const message = searchParams.get("message") ?? "";
        const more = pathname === "/sent" ? 1 : -1;
        ledger.set(message, Math.max(0, (ledger.get(message) ?? 0) + more));
        return new LedgerResponse();
      },
    },
  });
  for (const file of ["release.json", "1/model.json", "1/model.onnx"])
    await worker.put(`iris/${file}`, await readFile(join(root, "models/iris", file)));
});
afterAll(async () => {
  await worker.stop();
  await rm(directory, { recursive: true });
});

const inputOf = (id: string) => [5.1, 3.5, 1.4, Number(id.split("-")[1]) / 100];

/** Whether the job was accepted. */
async function make(id: string): Promise<boolean> {
  const body = JSON.stringify({ model: "iris", inputs: [inputOf(id)] });
  return worker.fetch(`/v1/jobs/${id}`, { method: "PUT", headers: JSON_TYPE, body }).then(
    ({ status }) => status === 202,
    () => false,
  );
}

async function statusOf(id: string): Promise<string> {
  return ((await (await worker.fetch(`/v1/jobs/${id}`)).json()) as { status: string }).status;
}

async function endOf(id: string): Promise<string> {
  for (const endsAt = Date.now() + 2 * TTL_SECONDS * 1000; ;) {
    const status = await statusOf(id);
    if (status !== "queued" && status !== "running") return status;
    if (Date.now() > endsAt) expect.unreachable(`${id} is ${status}`);
    await sleep(200);
  }
}

/** Ends workerd as kill -9 does. What lies in the bucket is on the disk; the messages are gone. */
async function kill(vars?: Record<string, string>): Promise<void> {
  for (const pid of await childrenOf(process.pid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes("workerd")) process.kill(pid, "SIGKILL");
  }
  await worker.restart(vars);
}

/** What Cloudflare does with messages that nobody acknowledged. Gives how many there were. */
async function deliverAgain(): Promise<number> {
  const left = [...ledger].filter(([, count]) => count > 0);
  for (const [message] of left) {
    ledger.set(message, 1);
    await worker.fetch(`/again?${new URLSearchParams({ message })}`);
  }
  return left.length;
}

async function expectAnsweredOnce(id: string): Promise<void> {
  const events = await (await worker.fetch(`/v1/jobs/${id}/events`)).text();
  expect(events.match(/"(succeeded|failed)"/g)).toHaveLength(1);
  const now = await worker.fetch("/v1/models/iris/predict", {
    method: "POST",
    headers: JSON_TYPE,
    body: JSON.stringify({ inputs: [inputOf(id)] }),
  });
  const result = await worker.fetch(`/v1/jobs/${id}/result`);
  expect(await result.bytes()).toEqual(await now.bytes());
}

describe.runIf(process.platform === "linux")("workerd is killed", () => {
  test(
    "30 times while it runs jobs and a batch: none is lost, and each is answered once, as the call is",
    { timeout: LIMIT_MS },
    async () => {
      const lines = flowerLines(60 * ROWS);
      await worker.put(".batches/anonymous/flowers.csv", HEADER + lines.join(""));
      const made = await worker.fetch("/v1/batches", {
        method: "POST",
        headers: JSON_TYPE,
        body: JSON.stringify({ model: "iris", input: { object: "flowers.csv" } }),
      });
      expect(made.status).toBe(202);
      const accepted: string[] = [];
      let again = 0;
      for (let round = 0; round < KILLS; round++) {
        const ids = Array.from(
          { length: JOBS_EACH },
          (_, index) => `job-${round * JOBS_EACH + index}`,
        );
        const making = ids.map(async (id) => void ((await make(id)) && accepted.push(id)));
        // A kill falls into making, reading, running, writing or telling the queue.
        await sleep((round * 370) % 2900);
        await kill();
        await Promise.all(making);
        again += await deliverAgain();
      }
      expect(accepted.length).toBeGreaterThan((KILLS * JOBS_EACH) / 2);
      expect(again).toBeGreaterThan(KILLS);
      for (const id of accepted) {
        expect([id, await endOf(id)]).toEqual([id, "succeeded"]);
        await expectAnsweredOnce(id);
      }
      const answers = await answersOf(worker.fetch, lines, ROWS);
      await expectAnswered(worker.fetch, made.headers.get("location") ?? "", { lines, answers });
    },
  );

  // Cloudflare does not lose messages. If it ever does, these are what is left to do.
  test(
    "and its messages are lost: the same request again runs the job, and else it expires in time",
    { timeout: LIMIT_MS },
    async () => {
      const vars = { JOB_RESULT_TTL: `${TTL_SECONDS}` };
      await kill(vars);
      worker.setBehaviour("stall", /\/answer-/);
      expect(await make("lost-1")).toBe(true);
      await expect.poll(() => statusOf("lost-1"), { timeout: 30_000 }).toBe("running");
      for (const id of ["lost-2", "lost-3"]) expect(await make(id)).toBe(true);
      await kill(vars);
      worker.setBehaviour("ok");
      expect(await make("lost-2")).toBe(true);
      expect(await endOf("lost-2")).toBe("succeeded");
      await expectAnsweredOnce("lost-2");
      for (const id of ["lost-1", "lost-3"]) expect(await endOf(id)).toBe("expired");
    },
  );
});
