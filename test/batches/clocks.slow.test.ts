import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { PLACES } from "../jobs/places.ts";
import { startJobsOnLambda } from "../jobs/started-lambda.ts";
import { answersOf, endOf, expectAnswered, flowerLines, HEADER, OBJECT_TYPE } from "./flowers.ts";

const MINUTES_MS = 60_000;
const ROWS = 500;
const LIMIT_MS = 300_000;
const UPLOAD_MS = 2000;

/** Ends long after each server has seen that the upload has begun. */
function slowly(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const half = bytes.length >> 1;
  return new ReadableStream({
    async pull(controller) {
      controller.enqueue(bytes.subarray(0, half));
      await setTimeout(UPLOAD_MS);
      controller.enqueue(bytes.subarray(half));
      controller.close();
    },
  });
}

function clockWrongBy(minutes: number): Record<string, string> {
  const preload = new URL("../jobs/skewed-clock.js", import.meta.url).href;
  return { NODE_OPTIONS: `--import=${preload}`, CLOCK_WRONG_BY_MS: `${minutes * MINUTES_MS}` };
}

test.for(PLACES)(
  "two servers whose clocks differ by twenty minutes answer each row once, in order: %s",
  { timeout: LIMIT_MS },
  async ([place, open]) => {
    const { env, stop } = await open();
    onTestFinished(stop);
    const servers = await Promise.all(
      [-10, 10].map((minutes) =>
        startNodeServer({
          env: {
            ...env,
            MAX_BATCH: `${ROWS}`,
            ...clockWrongBy(minutes),
          },
        }),
      ),
    );
    onTestFinished(async () => void (await Promise.all(servers.map((server) => server.stop()))));
    const [slow, fast] = servers as [NodeServer, NodeServer];
    const lines = flowerLines(60_000);
    const answers = await answersOf(slow.fetch, lines, ROWS);
    const file = HEADER + lines.join("");
    for (const [id, maker, other] of [
      ["slow", slow, fast],
      ["fast", fast, slow],
    ] as const) {
      const upload: RequestInit & { duplex: "half" } = {
        method: "PUT",
        headers: { "Content-Type": "text/csv" },
        body: slowly(file),
        duplex: "half",
      };
      const made = await maker.fetch(`/v1/batches/${id}?model=iris`, upload);
      expect(made.status).toBe(202);
      await expectAnswered(other.fetch, `/v1/batches/${id}`, { lines, answers });
    }
    if (place === "a file") return;
    // Outputs of objects are written in parts that several servers may begin.
    const folder = join(env["STORE"] ?? "", ".batches/anonymous");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "flowers.csv"), file);
    const made = await slow.fetch("/v1/batches/object", {
      method: "PUT",
      headers: OBJECT_TYPE,
      body: JSON.stringify({ model: "iris", input: { object: "flowers.csv" } }),
    });
    expect(made.status).toBe(202);
    await expectAnswered(fast.fetch, "/v1/batches/object", { lines, answers });
  },
);

test.for([-20, 20])(
  "on Lambda the function of jobs has a clock that is wrong by %i minutes: jobs and batches are answered",
  { timeout: LIMIT_MS },
  async (minutes) => {
    const { ask, work, target } = await startJobsOnLambda({
      env: { MAX_BATCH: `${ROWS}` },
      jobsEnv: clockWrongBy(minutes),
    });
    work();
    const lines = flowerLines(5000);
    const answers = await answersOf(ask, lines, ROWS);
    await target.store.put(".batches/anonymous/flowers.csv", HEADER + lines.join(""));
    const put = (path: string, body: object) =>
      ask(path, { method: "PUT", headers: OBJECT_TYPE, body: JSON.stringify(body) });
    const input = { object: "flowers.csv" };
    expect((await put("/v1/batches/object", { model: "iris", input })).status).toBe(202);
    const job = { model: "iris", inputs: [5.1, 3.5, 1.4, 0.2] };
    expect((await put("/v1/jobs/one", job)).status).toBe(202);
    await expectAnswered(ask, "/v1/batches/object", { lines, answers });
    expect(await endOf(ask, "/v1/jobs/one")).toMatchObject({ status: "succeeded" });
    const events = await (await ask("/v1/jobs/one/events")).text();
    expect(events.match(/"(succeeded|failed)"/g)).toHaveLength(1);
    const times = [...events.matchAll(/"at":"([^"]+)"/g)].map(([, at]) => Date.parse(at ?? ""));
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(19 * MINUTES_MS);
  },
);
