import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createApp } from "../../functions/app.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";

const root = join(import.meta.dirname, "../..");
const asker = apiKey("asker", { scopes: ["predict"] });
const stranger = apiKey("stranger", { scopes: ["predict"] });
const admin = apiKey("admin", { scopes: ["predict", "admin", "metrics"] });

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "nearcast-feedback-"));
  await addModel("iris", { keptSeconds: 3600, calibrated: true });
  await addModel("diabetes", { keptSeconds: 3600 });
  await addModel("sentiment", undefined);
});
afterAll(() => rm(models, { recursive: true }));

async function addModel(name: string, feedback: object | undefined): Promise<void> {
  await mkdir(join(models, name));
  await cp(join(root, "models", name, "1"), join(models, name, "1"), { recursive: true });
  const path = join(models, name, "1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFile(path, JSON.stringify({ ...manifest, ...(feedback && { feedback }) }));
  await writeFile(join(models, name, "release.json"), JSON.stringify({ stable: "1" }));
}

/** An instance of its own, which shares what `shared` has. */
function start(shared = createNodePlatform({ STORE: models })) {
  const env = { STORE: models, ACCESS_LOG: "false" };
  const own = createNodePlatform({ ...env, API_KEYS: keyList(asker, stranger, admin) });
  const { notes, counters } = shared;
  const app = createApp(createService({ ...own, notes, counters }));
  const ask = async (key: string, path: string, body?: unknown, id?: string) => {
    const headers = { ...bearer(key), ...(id && { "X-Request-Id": id }), ...JSON_TYPE };
    const post = body !== undefined && { method: "POST", body: JSON.stringify(body) };
    const answer = await app.request(path, { headers, ...post });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return {
    ask,
    predict: (id: string, inputs: unknown, model = "iris") =>
      ask(asker.key, `/v1/models/${model}/predict`, { inputs }, id),
    metrics: async () => (await app.request("/metrics", { headers: bearer(admin.key) })).text(),
    give: (id: string, outcome: unknown, key = asker.key) =>
      ask(key, "/v1/feedback", { request_id: id, outcome }),
    accuracy: async (model = "iris") => {
      const { body } = await ask(admin.key, `/v1/models/${model}/accuracy`);
      return (body["versions"] as Record<string, unknown>[])[0];
    },
  };
}

const JSON_TYPE = { "Content-Type": "application/json" };
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const VIRGINICA = [6.3, 3.3, 6, 2.5];
/** A virginica that might be a versicolor. */
const UNSURE = [6, 3, 4.9, 1.8];

test("outcomes are joined over instances: accuracy, F1, and an estimate before they are known", async () => {
  const shared = createNodePlatform({ STORE: models });
  const [one, other] = [start(shared), start(shared)];
  let scores = 0;
  for (let at = 0; at < 10; at++) {
    const { status, body } = await one.predict(
      `p${at}`,
      at < 6 ? SETOSA : at < 9 ? VIRGINICA : UNSURE,
    );
    expect(status).toBe(200);
    scores += (body["outputs"] as { score: number }).score;
  }
  const before = await other.accuracy();
  expect(before).toMatchObject({ version: "1", released: true, count: 0, estimated_from: 10 });
  expect(before?.["estimated_accuracy"]).toBeCloseTo(scores / 10, 6);
  expect(scores / 10).toBeLessThan(0.995);
  // Two setosa were versicolor.
  for (let at = 0; at < 10; at++) {
    const outcome = at < 2 ? "versicolor" : at < 6 ? "setosa" : "virginica";
    expect(await other.give(`p${at}`, outcome)).toMatchObject({
      status: 200,
      body: { request_id: `p${at}`, status: "counted" },
    });
  }
  const after = await one.accuracy();
  expect(after).toMatchObject({ count: 10, accuracy: 0.8, estimated_from: 10 });
  // F1 of setosa: 2 · 4 / (6 + 4); of versicolor: 0; of virginica: 1.
  expect(after?.["f1_macro"]).toBeCloseTo((0.8 + 0 + 1) / 3, 12);
  const shown = await one.metrics();
  const [f1, estimate] = [Number(after?.["f1_macro"]), Number(before?.["estimated_accuracy"])];
  const of = '{model="iris",version="1",role="stable"}';
  expect(shown).toContain(`nearcast_accuracy${of} 0.8\n`);
  expect(shown).toContain(`nearcast_f1_macro${of} ${f1}\n`);
  expect(shown).toContain(`nearcast_accuracy_estimate${of} ${estimate}\n`);
  expect(shown).toContain(`nearcast_outcomes${of} 10\n`);
});

test("metrics have nothing of fewer than five outcomes", async () => {
  const { predict, give, metrics } = start();
  for (let at = 0; at < 4; at++) {
    await predict(`few${at}`, SETOSA);
    await give(`few${at}`, "setosa");
  }
  expect(await metrics()).not.toMatch(/^nearcast_(accuracy|f1|outcomes)/m);
});

test("numbers have errors, and a request of several inputs has several outcomes", async () => {
  const { predict, give, accuracy } = start();
  const lines = await readFile(join(root, "models/diabetes/heldout.jsonl"), "utf8");
  const inputs = lines
    .split("\n")
    .slice(0, 6)
    .map((line) => (JSON.parse(line) as { input: unknown }).input);
  const { body } = await predict("batch", inputs, "diabetes");
  const outcome = (body["outputs"] as { value: number }[]).map(({ value }, at) =>
    at % 2 === 0 ? value + 3 : value - 1,
  );
  expect((await give("batch", outcome.slice(1))).status).toBe(422);
  expect((await give("batch", outcome)).status).toBe(200);
  const found = await accuracy("diabetes");
  expect(found).toMatchObject({ count: 6 });
  expect(found?.["mae"]).toBeCloseTo(2, 6);
  expect(found?.["rmse"]).toBeCloseTo(Math.sqrt(5), 6);
});

test("the same twice counts once, also at the same time; another outcome is refused", async () => {
  const shared = createNodePlatform({ STORE: models });
  const [one, other] = [start(shared), start(shared)];
  const add = vi.spyOn(shared.counters, "add");
  await one.predict("twice", SETOSA);
  add.mockClear();
  const all = await Promise.all(
    Array.from({ length: 6 }, async (_, at) =>
      (at % 2 === 0 ? one : other).give("twice", "setosa"),
    ),
  );
  expect(all.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200, 200]);
  expect(all.filter((answer) => answer.body["status"] === "counted").length).toBe(1);
  expect(add.mock.calls.filter(([{ name }]) => name.startsWith("feedback/")).length).toBe(1);
  const refused = await one.give("twice", "virginica");
  expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
});

test("only who asked may say it, or an admin in their name", async () => {
  const { ask, predict, give } = start();
  await predict("mine", SETOSA);
  expect((await give("mine", "setosa", stranger.key)).status).toBe(404);
  expect((await give("nobody's", "setosa")).status).toBe(404);
  const inTheirName = { request_id: "mine", outcome: "setosa", caller: "asker" };
  expect((await ask(stranger.key, "/v1/feedback", inTheirName)).status).toBe(403);
  // The stranger's own prediction of the same id changes nothing.
  await ask(stranger.key, "/v1/models/iris/predict", { inputs: VIRGINICA }, "mine");
  expect((await ask(admin.key, "/v1/feedback", inTheirName)).body).toMatchObject({
    status: "counted",
  });
  expect((await ask(stranger.key, "/v1/models/iris/accuracy")).status).toBe(403);
});

test("in bulk, one that is refused does not refuse the others; bad outcomes are named", async () => {
  const { ask, predict, give } = start();
  await predict("a", SETOSA);
  const { body } = await ask(asker.key, "/v1/feedback", [
    { request_id: "a", outcome: "rose" },
    { request_id: "unknown", outcome: "setosa" },
    { request_id: "a", outcome: "setosa" },
    { request_id: "a", outcome: "setosa" },
  ]);
  expect(body["results"]).toMatchObject([
    { status: "refused", code: "invalid_input" },
    { status: "refused", code: "not_found" },
    { status: "counted" },
    { status: "known" },
  ]);
  const many = Array.from({ length: 101 }, () => ({ request_id: "a", outcome: "setosa" }));
  expect((await ask(asker.key, "/v1/feedback", many)).status).toBe(422);
  expect((await give("a", ["setosa", "setosa"])).body["detail"]).toMatch(
    /outcome must be 1, one for each input, is 2/,
  );
});

test("without feedback in the manifest nothing is kept", async () => {
  const shared = createNodePlatform({ STORE: models });
  const put = vi.spyOn(shared.notes, "put");
  const { predict, give } = start(shared);
  expect((await predict("free", "good", "sentiment")).status).toBe(200);
  expect(put).not.toHaveBeenCalled();
  expect((await give("free", "positive")).status).toBe(404);
});
