import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { markForgotten } from "../../functions/observe/capture/forgotten.ts";
import { capturedKey, dayOf } from "../../functions/observe/capture/captured.ts";
import { sha256 } from "../../functions/platform/sha256.ts";
import { nearcast } from "../cli/nearcast.ts";
import { addCapturing, capturingFolder, EVERYTHING, openService } from "./capturing.ts";

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const VIRGINICA = [6.3, 3.3, 6, 2.5];
const KEPT = { capture: EVERYTHING, feedback: { keptSeconds: 3600 } };
const HEADER = "sepal_length,sepal_width,petal_length,petal_width,label\r\n";
const DAY_MS = 86_400_000;

const caller = (name: string) => ({ name, scopes: new Set(["predict"] as const) });

async function folderFor(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nearcast-dataset-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("captured inputs are joined with outcomes, and nearcast eval reads the result", async () => {
  const models = await capturingFolder("iris", KEPT);
  const folder = await folderFor();
  const { service, store, post } = openService(models);
  const ask = (inputs: unknown, id: string) =>
    post("/v1/models/iris/predict", { inputs }, { "X-Request-Id": id });
  await ask(SETOSA, "one");
  await ask([SETOSA, VIRGINICA], "both");
  await ask(VIRGINICA, "unknown");
  await ask(VIRGINICA, "late");
  await ask(SETOSA, "forgotten");
  await service.flushCaptured();
  await post("/v1/feedback", { request_id: "one", outcome: "setosa" });
  await post("/v1/feedback", { request_id: "forgotten", outcome: "setosa" });
  await post("/v1/feedback", { request_id: "both", outcome: ["versicolor", "virginica"] });
  await service.flushCaptured();
  await markForgotten(store, "iris", { requestId: "forgotten" }, sha256);
  const expired = capturedKey({
    model: "iris",
    until: dayOf(Date.now()),
    day: "2026-01-01",
    instance: "abc",
    turn: 1,
  });
  await store.put(expired, new TextEncoder().encode('{"request_id":"old","input":{},"row":0}\n'));
  const truth = join(folder, "truth.jsonl");
  await writeFile(truth, '{"request_id": "late", "outcome": "virginica"}\n');

  const csv = join(folder, "train.csv");
  const made = await nearcast([
    "dataset",
    "iris",
    "--store",
    models,
    "--out",
    csv,
    "--truth",
    truth,
  ]);
  expect(made.stderr).toBe("");
  expect(made.stdout).toBe(
    `${csv} has 4 rows. 1 inputs have no outcome, 0 calls kept no input, 0 lines cannot be read.\n`,
  );
  const lines = (await readFile(csv, "utf8")).slice(HEADER.length).split("\r\n");
  expect(await readFile(csv, "utf8")).toContain(HEADER);
  expect(lines.filter((line) => line !== "").toSorted()).toEqual([
    "5.1,3.5,1.4,0.2,setosa",
    "5.1,3.5,1.4,0.2,versicolor",
    "6.3,3.3,6,2.5,virginica",
    "6.3,3.3,6,2.5,virginica",
  ]);

  const jsonl = join(folder, "train.jsonl");
  await nearcast(["dataset", "iris", "--store", models, "--out", jsonl]);
  const [row] = (await readFile(jsonl, "utf8")).split("\n");
  expect(JSON.parse(row ?? "")).toMatchObject({
    label: "setosa",
    request_id: "one",
    row: 0,
    version: "1",
    output: { label: "setosa" },
  });
  for (const data of [csv, jsonl]) {
    const judged = await nearcast(["eval", "iris@1", "--models", models, "--data", data]);
    expect(judged.stderr).toBe("");
    expect(judged.stdout).toContain("accuracy");
  }
  const all = join(folder, "all.jsonl");
  const every = await nearcast(["dataset", "iris", "--store", models, "--out", all, "--all"]);
  expect(every.stdout).toContain("has 5 rows. 2 inputs have no outcome");

  const tomorrow = dayOf(Date.now() + DAY_MS);
  for (const span of [
    ["--from", tomorrow],
    ["--to", "2026-01-02"],
  ]) {
    const out = join(folder, "none.csv");
    const none = await nearcast(["dataset", "iris", "--store", models, "--out", out, ...span]);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("no row") as string });
  }
});

test("an outcome of one caller is no truth of another who used the same id", async () => {
  const models = await capturingFolder("iris", KEPT);
  const { service } = openService(models);
  for (const name of ["web", "shop"])
    await service.predict({ model: "iris", inputs: SETOSA, id: "1", caller: caller(name) });
  const registry = service.registryFor(caller("web"), "predict");
  await service.feedback.give(caller("web"), { request_id: "1", outcome: "virginica" }, registry);
  await service.flushCaptured();
  const out = join(await folderFor(), "train.jsonl");
  const made = await nearcast(["dataset", "iris", "--store", models, "--out", out]);
  expect(made.stdout).toContain("has 1 rows. 1 inputs have no outcome");
});

test("texts are a column of their own, quoted where that is needed", async () => {
  const models = await capturingFolder("iris", {});
  await addCapturing(models, "sentiment", KEPT);
  const { service, post } = openService(models);
  const text = 'a "fine",\nlong film';
  await post("/v1/models/sentiment/predict", { inputs: text }, { "X-Request-Id": "t" });
  await service.flushCaptured();
  const out = join(await folderFor(), "texts.csv");
  await nearcast(["dataset", "sentiment", "--store", models, "--out", out, "--all"]);
  expect(await readFile(out, "utf8")).toBe('input,label\r\n"a ""fine"",\nlong film",\r\n');
});
