import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createObjectSource, writeObjects } from "../../functions/features/object-source.ts";
import type { StoredFeatures } from "../../functions/features/source.ts";
import { createKvSource, kvPair } from "../../functions/platform/features/kv.ts";
import { createR2Store } from "../../functions/platform/store/r2.ts";
import { featureSourceContract } from "../../functions/testing.ts";
import { nearcast } from "../cli/nearcast.ts";
import { startS3OverR2 } from "../harness/s3-over-r2.ts";
import { startWorker, type WorkerHarness } from "../harness/worker.ts";
import { churnFolder, customers, type Answer } from "./service.ts";

const root = join(import.meta.dirname, "../..");
const FILES = ["1/model.json", "1/model.onnx", "release.json"];
const folder = await churnFolder({ maxAgeSeconds: 3600, cacheSeconds: 0 });
const shops = await churnFolder({ source: "shops", maxAgeSeconds: 3600, cacheSeconds: 0, timeoutMs: 1500 }); // oxfmt-ignore
const hurried = await churnFolder({ cacheSeconds: 0, timeoutMs: 1500 });

/** Two customers, one of whom too little is known lately, and one with an age of the wrong type. */
const [oslo] = customers(Date.now() - 7200_000);
const ROWS: StoredFeatures[] = [
  ...customers(),
  { values: {}, ...oslo, keys: { customer_id: 1 } },
  { keys: { customer_id: 2 }, values: { age: "30", member: true, city: "Oslo" }, at: Date.now() },
];

let worker: WorkerHarness;
beforeAll(async () => {
  const toml = await readFile(join(root, "wrangler.toml"), "utf8");
  worker = await startWorker({
    directory: join(root, "dist/worker"),
    compatibilityDate: /^compatibility_date = "(.+)"$/m.exec(toml)?.[1] ?? "",
    kv: "FEATURES",
    vars: {
      AUTH: "none",
      FEATURE_SOURCES: "customers=kv://FEATURES,shops=r2://MODELS/features/shops",
    },
  });
  for (const file of FILES) {
    await worker.put(`churn/${file}`, await readFile(join(folder, "churn", file)));
    await worker.put(`whole/${file}`, await readFile(join(folder, "whole", file)));
  }
  await putAs("shop", shops);
  await putAs("hurried", hurried);
  await putKv(ROWS);
  await writeObjects(createR2Store(await bucketOf(), "features/shops/"), ROWS);
});
afterAll(() => worker.stop());

/** The model `churn` of a folder under another name. */
async function putAs(name: string, from: string): Promise<void> {
  const manifest = await readFile(join(from, "churn/1/model.json"), "utf8");
  await worker.put(`${name}/1/model.json`, manifest.replace('"churn"', `"${name}"`));
  for (const file of FILES.slice(1))
    await worker.put(`${name}/${file}`, await readFile(join(from, "churn", file)));
}

const kvOf = async () => (await worker.kv()) as unknown as KVNamespace;
const bucketOf = async () => (await worker.bucket()) as unknown as R2Bucket;

async function putKv(rows: readonly StoredFeatures[]): Promise<void> {
  const kv = await kvOf();
  for (let start = 0; start < rows.length; start += 100)
    await Promise.all(
      rows.slice(start, start + 100).map(async (row) => {
        const { key, value } = kvPair("customers", row);
        await kv.put(key, value);
      }),
    );
}

type Answered = Pick<Answer, "status" | "outputs" | "code" | "detail" | "errors" | "features">;

async function ask(model: string, inputs: unknown): Promise<Answered> {
  const response = await worker.fetch(`/v1/models/${model}/predict`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ inputs }),
  });
  return { status: response.status, ...((await response.json()) as Omit<Answered, "status">) };
}

async function expectAnswers(model: string, source: string): Promise<void> {
  const of = (customer_id: number) => ask(model, { customer_id, income: 1 });
  const whole = await ask("whole", { age: 30, member: true, city: "Oslo", income: 1 });
  expect(await of(42)).toMatchObject({
    status: 200,
    outputs: whole.outputs,
    features: { age: { status: "found", ageSeconds: expect.any(Number) as number } },
  });
  expect((await of(1)).detail).toContain(`is known to ${source} only from more than 3600 s ago`);
  expect((await of(3)).detail).toContain(`is not known to ${source}`);
  expect(await of(2)).toMatchObject({ status: 502, code: "features_invalid" });
}

const askHurried = () => ask("hurried", { customer_id: 42, income: 1 });
const askShop = () => ask("shop", { customer_id: 43, income: 1 });

describe("Workers KV", () => {
  for (const { name, run } of featureSourceContract(async (rows) => {
    await putKv(rows);
    return createKvSource("customers", await kvOf());
  }))
    test(name, run);

  test("answers a Worker as all features sent whole do; stale, missing and of the wrong type as the manifest says", async () => {
    await expectAnswers("churn", "customers");
  });

  test("that is slow is 504, and one that is down 503", async () => {
    onTestFinished(() => worker.setBehaviour("ok"));
    expect(await askHurried()).toMatchObject({ status: 200 });
    worker.setBehaviour("slow", /^kv$/, { slowMs: 5000 });
    expect(await askHurried()).toMatchObject({ status: 504, code: "features_late" });
    worker.setBehaviour("down", /^kv$/);
    expect(await askHurried()).toMatchObject({ status: 503, code: "features_unavailable" });
    worker.setBehaviour("ok");
    expect(await askHurried()).toMatchObject({ status: 200 });
  });

  test("a Worker reads 1,000 entities for one request", async () => {
    const inputs = Array.from({ length: 1000 }, (_, index) => ({
      customer_id: index === 999 ? 42 : 10_000 + index,
      income: 1,
      age: 1,
      member: true,
    }));
    const before = worker.storeRequests().filter(({ key }) => key === "kv").length;
    const { status, errors } = await ask("churn", inputs);
    expect(status).toBe(422);
    expect(errors[0]?.path).toBe("inputs[0].city");
    // KV gives 100 keys at a time.
    const reads = worker.storeRequests().filter(({ key }) => key === "kv");
    expect(reads.slice(before).map(({ method }) => method)).toEqual(Array(10).fill("/bulk/get"));
    const both = inputs.map((input, index) => ({ ...input, customer_id: 42 + (index % 2) }));
    expect(await ask("churn", both)).toMatchObject({ status: 200 });
  });
});

describe("R2", () => {
  for (const { name, run } of featureSourceContract(async (rows) => {
    const store = createR2Store(await bucketOf(), `features/${crypto.randomUUID()}/`);
    await writeObjects(store, rows);
    return createObjectSource("shops", store);
  }))
    test(name, run);

  test("answers a Worker as all features sent whole do; stale, missing, of the wrong type, slow and down as the manifest says", async () => {
    await expectAnswers("shop", "shops");
    worker.setBehaviour("slow", /^features/, { slowMs: 5000 });
    expect(await askShop()).toMatchObject({ status: 504, code: "features_late" });
    worker.setBehaviour("down", /^features/);
    expect(await askShop()).toMatchObject({ status: 503, code: "features_unavailable" });
    worker.setBehaviour("ok");
    expect(await askShop()).toMatchObject({ status: 200 });
  });

  test("a table that the command loads answers a Worker", async () => {
    const s3 = await startS3OverR2(worker);
    onTestFinished(() => s3.stop());
    const path = join(shops, "table.csv");
    await writeFile(
      path,
      `customer_id,age,member,city,event_timestamp\n7,41,false,Bergen,${Date.now()}\n`,
    );
    const to = "shops=r2://models/features/shops";
    const outcome = await nearcast(["features", "load", path, "--for", "churn", "--models", shops, "--to", to], {
      env: { S3_ENDPOINT: s3.endpoint, AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" },
    }); // oxfmt-ignore
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    const inputs = { customer_id: 7, income: 1 };
    // A Worker reads the index again after 5 seconds.
    await expect
      .poll(() => ask("shop", inputs), { timeout: 30_000, interval: 500 })
      .toMatchObject({ status: 200 });
    const whole = await ask("whole", { age: 41, member: false, city: "Bergen", income: 1 });
    expect((await ask("shop", inputs)).outputs).toEqual(whole.outputs);
  });
});
