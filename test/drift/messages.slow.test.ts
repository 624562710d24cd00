import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesOfModels } from "../../cli/local/models.ts";
import { startWorker, type WorkerHarness } from "../harness/worker.ts";
import { keepForFeedback, modelsWithBaseline } from "./models-with-baseline.ts";

const root = join(import.meta.dirname, "../..");
const SECONDS = 6;
const CLIENTS = 4;
/** Enough to tell a message a second from one a request. */
const LEAST = 100;
/** The Durable Objects that count: that of the model, and that of what belongs to no model. */
const COUNTING = 2;

/** The Worker as it is deployed, whose Durable Objects say what they are asked. */
const TOLD = `import worker, { ModelState as Real } from "./WORKER";
const told = (name, given) => console.log(JSON.stringify({ told: name, object: given.model }));
export class ModelState extends Real {
  add(batch) { told("add", batch); return super.add(batch); }
  putNote(...given) { told("putNote", {}); return super.putNote(...given); }
}
export default worker;`;

let models: string;
let folder: string;
let worker: WorkerHarness;
beforeAll(async () => {
  models = await modelsWithBaseline();
  await keepForFeedback(models);
  await cp(join(models, "iris/1"), join(models, "iris/2"), { recursive: true });
  const path = join(models, "iris/2/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, version: "2" }));
  const segments = [{ id: 1, since: new Date().toISOString(), share: 0.5 }];
  const candidates = [{ version: "2", percent: 50, segments }];
  const release = { schema: 2, revision: 1, stable: "1", salt: "s", candidates };
  await writeFile(join(models, "iris/release.json"), JSON.stringify(release));

  folder = await mkdtemp(join(tmpdir(), "nearcast-told-"));
  await cp(join(root, "dist/worker"), folder, { recursive: true });
  const entry = (await readdir(folder)).find((name) => name.endsWith(".js")) ?? "";
  await writeFile(join(folder, "told.js"), TOLD.replace("WORKER", entry));
  const toml = await readFile(join(root, "wrangler.toml"), "utf8");
  worker = await startWorker({
    directory: folder,
    entry: "told.js",
    assets: join(root, "dist/assets"),
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(toml)?.[1] ?? "",
    vars: { AUTH: "none", ACCESS_LOG: "false" },
    modelState: true,
  });
  for (const key of await filesOfModels(models))
    await worker.put(key, await readFile(join(models, key)));
});
afterAll(async () => {
  await worker?.stop();
  for (const path of [models, folder]) if (path) await rm(path, { recursive: true });
});

const post = (path: string, id: string, body: object) =>
  worker.fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Request-Id": id },
    body: JSON.stringify(body),
  });

/** How often the Durable Objects were asked so far, by what for. */
function told(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [, name = ""] of worker.logs.matchAll(/\{"told":"(\w+)"/g))
    counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** How many outcomes were counted. */
async function outcomes(): Promise<number> {
  const answer = await worker.fetch("/v1/models/iris/accuracy?days=2");
  const { versions } = (await answer.json()) as { versions: { count: number }[] };
  return versions.reduce((sum, { count }) => sum + count, 0);
}

test("an isolate sends what it counts once a second for each object, however many ask", async () => {
  const answered = { "1": 0, "2": 0 } as Record<string, number>;
  const ask = async (id: string) => {
    const answer = await post("/v1/models/iris/predict", id, { inputs: [5.1, 3.5, 1.4, 0.2] });
    expect(answer.status).toBe(200);
    const version = answer.headers.get("X-Model-Version") ?? "";
    answered[version] = (answered[version] ?? 0) + 1;
    const judged = await post("/v1/feedback", id, { request_id: id, outcome: "setosa" });
    expect(judged.status).toBe(200);
  };
  const asked = () => (answered["1"] ?? 0) + (answered["2"] ?? 0);
  const before = { add: 0, putNote: 0, ...told() };
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let count = 0; asked() < LEAST || performance.now() - began < SECONDS * 1000; count++)
        await ask(`${client}-${count}`);
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const after = { add: 0, putNote: 0, ...told() };
  const added = after.add - before.add;
  console.log(
    `${asked()} predictions with outcomes in ${seconds.toFixed(1)} s: ${added} messages of counts`,
  );
  expect(answered["1"]).toBeGreaterThan(10);
  expect(answered["2"]).toBeGreaterThan(10);
  expect(added).toBeGreaterThanOrEqual(COUNTING);
  expect(added).toBeLessThanOrEqual(COUNTING * (Math.ceil(seconds) + 1));
  expect(added).toBeLessThan(asked() / 2);
  // What was predicted is kept, and is no sum.
  expect(after.putNote - before.putNote).toBe(asked());

  // Nothing is lost on the way.
  await expect.poll(outcomes).toBe(asked());
});
