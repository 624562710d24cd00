import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { frontEnd } from "../dialects/front-end.ts";
import { startNodeServer } from "../harness/node-server.ts";
import { startJobs, useModels } from "./started.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const FLOWER = { features: [5.1, 3.5, 1.4, 0.2] };
const NAMED = { sepal_length: 6.3, sepal_width: 3.3, petal_length: 6, petal_width: 2.5 };

const models = useModels();

async function start(env: Record<string, string> = {}) {
  const started = await startJobs({ STORE: models.path, ...env });
  onTestFinished(() => started.end());
  return started;
}

/** The task that a body makes. */
async function made(answer: Promise<Response>): Promise<string> {
  const response = await answer;
  expect(response.status).toBe(202);
  const { task_id: id, ...rest } = (await response.json()) as { task_id: string };
  expect(rest).toEqual({ status: "pending" });
  return `/batch-result/${id}`;
}

describe.runIf(hasSqlite)("tasks of tutorials", () => {
  test("a page makes one on a server, and polls until it is done", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nearcast-tutorial-"));
    const env = { STORE: models.path, JOBS_FILE: join(folder, "jobs.sqlite"), ACCESS_LOG: "false" };
    const server = await startNodeServer({ env });
    onTestFinished(async () => {
      await server.stop();
      await rm(folder, { recursive: true });
    });
    const page = frontEnd(server.fetch);
    expect(await page.predictLater([FLOWER, NAMED])).toEqual(["setosa", "virginica"]);
    await expect(page.predictLater([{ features: [1] }])).rejects.toThrow(/^body\[0\]/);
  });

  test("it is pending until it has run, and then has what /batch_predict answers", async () => {
    const { ask, post, work } = await start();
    const page = frontEnd(ask);
    const pending = vi.fn(work);
    expect(await page.predictLater([FLOWER, NAMED, FLOWER], pending)).toEqual([
      "setosa",
      "virginica",
      "setosa",
    ]);
    expect(pending).toHaveBeenCalled();
    const path = await made(post("/batch-predict", [FLOWER]));
    await vi.waitFor(async () => {
      const { status } = (await (await ask(path)).json()) as { status: string };
      expect(status).toBe("completed");
    }, 30_000);
    const { predictions } = (await (await ask(path)).json()) as { predictions: unknown };
    expect({ predictions }).toEqual(await (await post("/batch_predict", [FLOWER])).json());
  });

  test("one that fails says why, with the status that the call has", async () => {
    const { ask, post, work } = await start();
    work();
    const path = await made(post("/batch-predict", [{ features: [1, 2] }]));
    await vi.waitFor(async () => expect((await ask(path)).status).toBe(422), 30_000);
    expect(await (await ask(path)).json()).toMatchObject({
      task_id: path.split("/")[2],
      status: "failed",
      error: expect.stringMatching(/^body\[0\]/) as string,
    });
  });

  test("what cannot be a task is refused at once", async () => {
    const { post, ask, later } = await start();
    expect((await post("/batch-predict", { features: [1] })).status).toBe(422);
    expect((await post("/batch-predict", "[")).status).toBe(400);
    expect((await post("/batch-predict?model=nobody", [FLOWER])).status).toBe(404);
    expect((await ask("/batch-result/none")).status).toBe(404);
    // Another call that is answered later is no task.
    const other = await later("/v1/models/iris/predict", { inputs: NAMED });
    const { id } = (await other.json()) as { id: string };
    expect((await ask(`/batch-result/${id}`)).status).toBe(404);
  });

  test("nobody reads another's task, with any kind of key", async () => {
    const [own, other] = [apiKey("own"), apiKey("other")];
    const narrow = apiKey("narrow", { models: ["search"] });
    const { post, ask } = await start({ API_KEYS: keyList(own, other, narrow) });
    const path = await made(post("/batch-predict", [FLOWER], bearer(own.key)));
    expect((await ask(path, { headers: bearer(own.key) })).status).toBe(200);
    for (const { key } of [other, narrow])
      expect((await ask(path, { headers: bearer(key) })).status).toBe(404);
    expect((await ask(path)).status).toBe(401);
    // No model of tables is theirs.
    expect((await post("/batch-predict", [FLOWER], bearer(narrow.key))).status).toBe(404);
    expect((await post("/predict", FLOWER, bearer(narrow.key))).status).toBe(404);
  });
});
