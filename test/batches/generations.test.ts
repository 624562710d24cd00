import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Store } from "../../functions/model/store.ts";
import { clientOf, upload } from "../files/client.ts";
import { startJobs, useModels } from "../jobs/started.ts";
import { expectOwnAnswers, HEADER, OBJECT_TYPE, type Shown } from "./flowers.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";

const CSV = { "Content-Type": "text/csv" };
const [SETOSA, VIRGINICA] = ["5.1,3.5,1.4,0.2\n", "6.3,3.3,6,2.5\n"];
const DAY_MS = 86_400_000;

const models = useModels();

async function start() {
  const started = await startJobs({ STORE: models.path, MAX_BATCH: "1" });
  onTestFinished(() => started.end());
  const { ask, jobs, perform, batchName, platform } = started;
  const store = platform.jobs?.store;
  if (!store) throw new Error("There is no store of jobs.");

  async function put(body: string, id = "again"): Promise<string> {
    const made = await ask(`/v1/batches/${id}?model=iris`, { method: "PUT", headers: CSV, body });
    expect(made.status).toBe(202);
    return batchName(id);
  }
  /** Hands out a message of the batch with this name. */
  const run = (name: string, what: string | number, answer = perform) =>
    jobs.run(`${name}.${what}`, 1, answer);
  const shown = async (id = "again") =>
    (await (await ask(`/v1/batches/${id}`)).json()) as Shown & Record<string, unknown>;
  return {
    ...started,
    store,
    put,
    run,
    shown,
    removed: async () =>
      expect((await ask("/v1/batches/again", { method: "DELETE" })).status).toBe(200),
    /** Does all the work of a batch. */
    finish: async (name: string, rows: number): Promise<void> => {
      await run(name, "cut");
      for (let row = 0; row < rows; row++) await run(name, row);
      await run(name, "join");
    },
    labels: async (id = "again") =>
      (await (await ask(`/v1/batches/${id}/output`)).text())
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { label: string }).label),
  };
}

/** Does something once, before an object with such a name is written. */
function beforePut(store: Store, name: RegExp, act: () => Promise<void>): { isDone: boolean } {
  const { put } = store;
  const once = { isDone: false };
  store.put = async (key, ...rest) => {
    if (name.test(key) && !once.isDone) {
      once.isDone = true;
      await act();
    }
    return put(key, ...rest);
  };
  return once;
}

const neverPerform = () => Promise.reject(new Error("it runs"));

describe.runIf(hasSqlite)("a batch that is made with the id of a removed one", () => {
  test("has nothing of the messages that come of the old one", async () => {
    const { put, run, shown, removed, finish, labels, store } = await start();
    const old = await put(HEADER + SETOSA.repeat(20));
    await run(old, "cut");
    await removed();
    const name = await put(HEADER + VIRGINICA.repeat(9));
    expect(name).not.toBe(old);
    await run(name, "cut");
    const before = await store.list(".jobs/");
    for (const what of ["cut", 0, 1, 2, 8, 19, "join", "tidy-0", "keep"])
      expect(await run(old, what, neverPerform)).toBe("done");
    expect(await store.list(".jobs/")).toEqual(before);
    expect(await shown()).toMatchObject({ status: "running", counts: { total: 9, completed: 0 } });
    await finish(name, 9);
    expect(await shown()).toMatchObject({ status: "succeeded", counts: { completed: 9 } });
    expect(await labels()).toEqual(Array.from({ length: 9 }, () => "virginica"));
  });

  test("has nothing of a chunk or a file of the old one that was being worked at", async () => {
    const { put, run, shown, removed, finish, labels, store, perform } = await start();
    const old = await put(HEADER + SETOSA.repeat(9));
    await run(old, "cut");
    let name = "";
    const answered = await run(old, 0, async (job, body) => {
      await removed();
      name = await put(HEADER + VIRGINICA.repeat(3));
      return perform(job, body);
    });
    expect(answered).toBe("done");
    expect((await store.list(".jobs/")).filter((object) => object.includes(old))).toEqual([]);
    expect(await shown()).toMatchObject({ counts: { completed: 0 }, progress: { done: 0 } });
    // While its file is cut, too.
    const cut = name;
    const cutting = beforePut(store, /\/in-1$/, async () => {
      await removed();
      name = await put(HEADER + VIRGINICA.repeat(2) + SETOSA);
    });
    for (let tries = 0; (await run(cut, "cut")) !== "done"; tries++) expect(tries).toBeLessThan(5);
    expect(cutting.isDone).toBe(true);
    expect((await store.list(".jobs/")).filter((object) => object.includes(cut))).toEqual([]);
    await finish(name, 3);
    expect(await shown()).toMatchObject({
      status: "succeeded",
      counts: { total: 3, completed: 3 },
    });
    expect(await labels()).toEqual(["virginica", "virginica", "setosa"]);
  });

  test("has nothing of outputs of the old one that were being written beside its input", async () => {
    const { ask, shown, removed, finish, labels, batchName, platform } = await start();
    const folder = join(models.path, ".batches/anonymous");
    await mkdir(folder, { recursive: true });
    const make = async (row: string) => {
      await writeFile(join(folder, "in.csv"), HEADER + row.repeat(2));
      const made = await ask("/v1/batches/again", {
        method: "PUT",
        headers: OBJECT_TYPE,
        body: JSON.stringify({ model: "iris", input: { object: "in.csv" } }),
      });
      expect(made.status).toBe(202);
      return batchName("again");
    };
    const old = await make(SETOSA);
    let name = "";
    const joining = beforePut(platform.store, /\.output\.jsonl$/, async () => {
      await removed();
      name = await make(VIRGINICA);
    });
    await finish(old, 2);
    expect(joining.isDone).toBe(true);
    await finish(name, 2);
    expect(await shown()).toMatchObject({ status: "succeeded" });
    expect(await labels()).toEqual(["virginica", "virginica"]);
    const object = await readFile(join(folder, "in.csv.again.output.jsonl"), "utf8");
    expect(object).toMatch(/^(.*virginica.*\n){2}$/);
  });

  test("takes the place of one whose time is over, whose message then removes nothing of it", async () => {
    const { put, run, shown, finish, ask, store } = await start();
    const old = await put(HEADER + SETOSA);
    await finish(old, 1);
    vi.useFakeTimers({ toFake: ["Date"] });
    onTestFinished(() => void vi.useRealTimers());
    vi.setSystemTime(Date.now() + DAY_MS + 1000);
    expect((await ask("/v1/batches/again")).status).toBe(404);
    const name = await put(HEADER + VIRGINICA);
    expect(await run(old, "keep")).toBe("done");
    await finish(name, 1);
    expect(await shown()).toMatchObject({ status: "succeeded" });
    const list = (await (await ask("/v1/batches")).json()) as { data: Shown[] };
    expect(list.data.map(({ id }) => id)).toEqual(["again"]);
    vi.setSystemTime(Date.now() + DAY_MS + 1000);
    expect(await run(name, "keep")).toBe("done");
    expect(await store.list(".jobs/")).toEqual([]);
  });
});

test.runIf(hasSqlite)("its consumers answer each one from its own file only", async () => {
  const { ask, work } = await startJobs({ STORE: models.path, MAX_BATCH: "10" });
  work();
  await expectOwnAnswers(ask, 10);
});

test.runIf(hasSqlite)("a batch of OpenAI's that is removed as it ends leaves no file", async () => {
  const { ask, run, store, batchName } = await start();
  const client = clientOf(ask);
  const body = { model: "search", input: "lamp" };
  const line = { custom_id: "a", method: "POST", url: "/v1/embeddings", body };
  const file = await upload(client, [line]);
  const { id } = await client.batches.create({
    input_file_id: file.id,
    endpoint: "/v1/embeddings",
    completion_window: "24h",
  });
  const name = await batchName(id);
  await run(name, "cut");
  const ending = beforePut(store, /\/file\.json$/, async () => {
    expect((await ask(`/v1/batches/${id}`, { method: "DELETE" })).status).toBe(200);
  });
  await run(name, 0);
  expect(ending.isDone).toBe(true);
  expect((await client.files.list()).data.map((one) => one.id)).toEqual([file.id]);
});
