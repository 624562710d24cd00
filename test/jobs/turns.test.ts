import { describe, expect, onTestFinished, test } from "vitest";
import { hasSqlite } from "../harness/has-sqlite.ts";
import { startJobs, useModels } from "./started.ts";

const TIMES = 50;

const models = useModels();

/** How often others had a turn while work was done so often, one after the other. */
async function turnsBeside(work: (time: number) => Promise<unknown>): Promise<number> {
  let [turns, isOver] = [0, false];
  const turn = () => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  for (let time = 0; time < TIMES; time++) await work(time);
  isOver = true;
  return turns;
}

describe.runIf(hasSqlite)("others have their turns", () => {
  test("between what jobs read and write", async () => {
    const started = await startJobs({ STORE: models.path });
    onTestFinished(() => started.end());
    const { store } = started.platform.jobs ?? {};
    const [bytes, path] = [new Uint8Array(1), ".jobs/a/b"];
    for (const work of [
      () => store?.put(path, bytes),
      () => store?.get(path),
      () => store?.slice?.(path, 0, 1),
      () => store?.head(path),
      () => store?.list(".jobs/a/"),
      () => store?.delete(path),
    ])
      expect(await turnsBeside(async () => work())).toBeGreaterThanOrEqual(TIMES);
  });

  test("between calls that are refused", async () => {
    const started = await startJobs({ STORE: models.path });
    onTestFinished(() => started.end());
    const { perform } = started;
    const job = {
      caller: { name: "anonymous", scopes: ["predict"] },
      model: "iris",
      assignment: { version: "1", reason: "stable" },
      request: {
        path: "/v1/models/iris/predict",
        headers: { "content-type": "application/json", "x-request-id": "a" },
      },
    } as Parameters<typeof perform>[0];
    const body = new TextEncoder().encode('{"inputs":[["no number"]]}');
    const refuse = async () => expect((await perform(job, body)).status).toBe(422);
    await refuse();
    expect(await turnsBeside(refuse)).toBeGreaterThanOrEqual(TIMES);
  });
});
