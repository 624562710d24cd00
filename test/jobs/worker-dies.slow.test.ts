import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Response as FateResponse } from "miniflare";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { deployedQueues } from "../harness/targets.ts";
import { startWorker, type WorkerHarness } from "../harness/worker.ts";

const root = join(import.meta.dirname, "../..");
const SETOSA = [5.1, 3.5, 1.4, 0.2];

type Fate = "lives" | "before" | "after";
let fates: Fate[] = [];
let invocations: string[] = [];

let directory: string;
let worker: WorkerHarness;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "nearcast-dying-"));
  const args = ["deploy", "test/jobs/dying-worker.ts", "--dry-run", "--outdir", directory];
  await promisify(execFile)(join(root, "node_modules/.bin/wrangler"), args, { cwd: root });
  worker = await startWorker({
    directory,
    compatibilityDate: "2026-10-20",
    vars: { AUTH: "none" },
    queues: await deployedQueues(),
    fetchers: {
      async FATE({ url }) {
        invocations.push(new URL(url).pathname.slice(1));
        return new FateResponse(fates.shift() ?? "lives");
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
beforeEach(() => {
  [fates, invocations] = [[], []];
});

async function make(): Promise<string> {
  const made = await worker.fetch("/ml/v1/models/iris/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "respond-async" },
    body: JSON.stringify({ inputs: SETOSA }),
  });
  expect(made.status).toBe(202);
  const location = made.headers.get("location") ?? "";
  expect(location).toMatch(/^\/ml\/v1\/jobs\//);
  return location;
}

async function endOf(location: string): Promise<string> {
  let status = "";
  const look = async () => {
    ({ status } = (await (await worker.fetch(location)).json()) as { status: string });
    return ["queued", "running"].includes(status);
  };
  await expect.poll(look, { timeout: 60_000, interval: 200 }).toBe(false);
  return status;
}

test("a job whose invocation dies runs in another, with one answer", async () => {
  fates = ["before", "before", "lives"];
  const location = await make();
  expect(await endOf(location)).toBe("succeeded");
  expect(invocations).toHaveLength(3);
  const result = await worker.fetch(`${location}/result`);
  expect(await result.json()).toMatchObject({ outputs: { label: "setosa" } });
});

test("a job that ended before its invocation died has one answer, and its message ends", async () => {
  fates = ["after", "lives"];
  const location = await make();
  await expect.poll(() => invocations).toHaveLength(2);
  expect(await endOf(location)).toBe("succeeded");
  const events = await (await worker.fetch(`${location}/events`)).text();
  expect(events.match(/"succeeded"/g)).toHaveLength(1);
});

test("a job that ends every invocation goes to the dead letters, and has failed", async () => {
  fates = ["before", "before", "before", "before", "before"];
  const location = await make();
  expect(await endOf(location)).toBe("failed");
  expect(invocations).toEqual([...Array<string>(5).fill("nearcast-jobs"), "nearcast-jobs-dead"]);
  const result = await worker.fetch(`${location}/result`);
  expect(result.status).toBe(500);
  expect(await result.json()).toMatchObject({
    code: "internal",
    detail: expect.stringMatching(/given up/) as string,
  });
});
