import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyText } from "../../functions/observe/capture/captured.ts";
import { sha256 } from "../../functions/platform/sha256.ts";
import { startDynamoDb } from "../harness/dynamodb.ts";
import { targets, type Target } from "../harness/targets.ts";

const LIMIT_MS = 120_000;
const root = join(import.meta.dirname, "../..");

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "nearcast-feedback-"));
  await mkdir(join(models, "iris"));
  await cp(join(root, "models/iris/1"), join(models, "iris/1"), { recursive: true });
  const path = join(models, "iris/1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, feedback: { keptSeconds: 600 } }));
  await writeFile(join(models, "iris/release.json"), JSON.stringify({ stable: "1" }));
});
afterAll(() => rm(models, { recursive: true }));

/** Asks one instance, and tells another one what really happened. */
async function judge(target: Target, restart: () => Promise<void>): Promise<void> {
  const post = async (path: string, body: object, id: string) => {
    const headers = { "Content-Type": "application/json", "X-Request-Id": id };
    return target.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  };
  for (let at = 0; at < 10; at++)
    await post("/v1/models/iris/predict", { inputs: [5.1, 3.5, 1.4, 0.2] }, `p${at}`);
  await restart();
  const give = async (id: string, outcome: string) =>
    (await post("/v1/feedback", { request_id: id, outcome }, `f-${id}`)).status;
  for (let at = 0; at < 10; at++)
    expect(await give(`p${at}`, at < 7 ? "setosa" : "versicolor")).toBe(200);
  const again = await Promise.all(Array.from({ length: 5 }, () => give("p0", "setosa")));
  expect(again).toEqual([200, 200, 200, 200, 200]);
  expect(await give("p0", "virginica")).toBe(409);
  expect(await give("unknown", "setosa")).toBe(404);
  const keys = ["p1", "unknown"].map((id) => sha256(keyText("anonymous", id)));
  const forgotten = await post("/v1/feedback/forget", { keys }, "forget");
  expect(await forgotten.json()).toEqual({ forgotten: 1 });
  expect(await give("p1", "setosa")).toBe(404);
  const answer = await target.fetch("/v1/models/iris/accuracy?days=2");
  expect(await answer.json()).toMatchObject({ versions: [{ count: 10, accuracy: 0.7 }] });
}

test(
  "on Workers, Durable Objects keep predictions",
  async () => {
    const target = await targets.worker({ models });
    try {
      await judge(target, async () => undefined);
    } finally {
      await target.stop();
    }
  },
  LIMIT_MS,
);

test(
  "on Lambda, the table keeps predictions for other environments",
  async () => {
    const table = await startDynamoDb("rates");
    const target = await targets.lambda({ models, env: table.env });
    try {
      await judge(target, target.restart);
    } finally {
      await target.stop();
      await table.stop();
    }
  },
  LIMIT_MS,
);
