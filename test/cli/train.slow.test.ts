import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fixture, nearcast, succeed, temporaryFolder } from "./nearcast.ts";

/** A model whose "training" copies its data, an ONNX file, to the artifact. */
async function recipe(change: object = {}): Promise<{ models: string; store: string }> {
  const models = await temporaryFolder();
  const folder = join(models, "line");
  await mkdir(join(folder, "data"), { recursive: true });
  await cp(fixture("line-1.onnx"), join(folder, "data/line.onnx"));
  const text = JSON.stringify({
    inputs: ["data"],
    run: "cp data/line.onnx trained.onnx && echo trained >> runs.txt",
    artifact: "trained.onnx",
    add: ["--features", "a,b,c"],
    manifest: { license: "Apache-2.0" },
    ...change,
  });
  await writeFile(join(folder, "training.json"), text);
  return { models, store: await temporaryFolder() };
}

const train = (models: string, store: string) => ["train", "--models", models, "--store", store];

test("a model is trained once for the same data, and again for other data", async () => {
  const { models, store } = await recipe();
  expect(await succeed(train(models, store))).toContain("line@1 is trained.");
  await succeed(["ship", "line", "--models", models, "--to", store]);
  // A runner has only what is in the repository.
  const clone = (await recipe()).models;
  expect(await succeed(train(clone, store))).toContain("nothing has changed since line@1");
  await cp(fixture("line-2.onnx"), join(clone, "line/data/line.onnx"));
  expect(await succeed(train(clone, store))).toContain("line@2 is trained.");
  expect(await succeed(train(clone, store))).toContain("nothing has changed since line@2");
  expect(await readFile(join(clone, "line/runs.txt"), "utf8")).toBe("trained\n");
  const manifest = JSON.parse(await readFile(join(clone, "line/2/model.json"), "utf8")) as object;
  expect(manifest).toMatchObject({ version: "2", license: "Apache-2.0" });
  // Nothing says that it is better.
  const shipped = await nearcast(["ship", "line", "--models", clone, "--to", store]);
  expect(shipped.stderr).toContain(
    "has neither heldout.jsonl nor heldout.csv. Nothing was pushed.",
  );
});

test("a training sees none of the secrets of the other steps", async () => {
  const run = "env > seen.txt && cp data/line.onnx trained.onnx";
  const { models, store } = await recipe({ run });
  const names = [
    "NEARCAST_SIGNING_KEY",
    "NEARCAST_KEY",
    "CLOUDFLARE_API_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
  ];
  const env = Object.fromEntries([...names, "AWS_REGION"].map((name) => [name, "hunter2"]));
  expect((await nearcast(train(models, store), { env })).code).toBe(0);
  const seen = await readFile(join(models, "line/seen.txt"), "utf8");
  expect(seen.match(/^\w+(?==hunter2$)/gm)).toEqual(["AWS_REGION"]);
});

test("a training that fails makes no version", async () => {
  const { models, store } = await recipe({ run: "exit 3" });
  const { code, stderr } = await nearcast(train(models, store));
  expect([code, stderr]).toEqual([1, "nearcast: exit 3 ended with 3.\n"]);
});

test.each([
  [{ inputs: ["nowhere.csv"] }, "there is no input nowhere.csv"],
  [{ minGain: 1 }, 'Unrecognized key: "minGain"'],
])("a recipe with %o is refused", async (change, says) => {
  const { models, store } = await recipe(change);
  const { code, stderr } = await nearcast(train(models, store));
  expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
});
