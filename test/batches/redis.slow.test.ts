import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startNodeServer, type NodeServer } from "../harness/node-server.ts";
import { openRedisPlace } from "../jobs/places.ts";
import {
  answersOf,
  expectAnswered,
  expectOwnAnswers,
  flowerLines,
  HEADER,
  OBJECT_TYPE,
  type Shown,
} from "./flowers.ts";

const ROWS = 50;

test("two servers over one Redis answer a file, and one of them is killed on the way", async () => {
  const place = await openRedisPlace();
  onTestFinished(place.stop);
  const env: Record<string, string> = { ...place.env, MAX_BATCH: `${ROWS}` };
  const servers = await Promise.all([0, 1].map(() => startNodeServer({ env })));
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.stop()))));
  const [one, other] = servers as [NodeServer, NodeServer];
  const fetch = (path: string, init?: RequestInit) => one.fetch(path, init);
  const lines = flowerLines(20_000);
  const folder = join(env["STORE"] ?? "", ".batches/anonymous");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "flowers.csv"), HEADER + lines.join(""));
  const made = await fetch("/v1/batches", {
    method: "POST",
    headers: OBJECT_TYPE,
    body: JSON.stringify({ model: "iris", input: { object: "flowers.csv" } }),
  });
  expect(made.status).toBe(202);
  const location = made.headers.get("location") ?? "";
  for (;;) {
    const { status, counts } = (await (await fetch(location)).json()) as Shown;
    if (counts.completed > 2000) break;
    expect(["validating", "running"]).toContain(status);
    await sleep(20);
  }
  await expectOwnAnswers(fetch, ROWS);
  process.kill(other.pid, "SIGKILL");
  const answers = await answersOf(fetch, lines, ROWS);
  await expectAnswered(fetch, location, { lines, answers });
});
