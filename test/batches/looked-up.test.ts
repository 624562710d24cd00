import { expect, onTestFinished, test } from "vitest";
import { createBatchStore } from "../../functions/batches/batch-store.ts";
import { outputsIn } from "../../functions/batches/outputs-in.ts";
import { csvLines, lineOf, outputLine } from "../../functions/batches/output-lines.ts";
import { createMemorySource } from "../../functions/features/memory-source.ts";
import type { Store } from "../../functions/model/store.ts";
import { churnFolder, counted, customers, openChurn } from "../features/service.ts";
import { hasSqlite } from "../harness/has-sqlite.ts";
import { startJobs } from "../jobs/started.ts";
import { SECRET, serveRegion } from "../spillover/deployments.ts";
import { endOf } from "./flowers.ts";
import { expectStatusesOfBatch, lookedUp } from "./looked-up.ts";

const folder = await lookedUp();

test.runIf(hasSqlite)("lines of a batch tell where each row's features are from", async () => {
  const FEATURE_SOURCES = `customers=${folder.table}`;
  const started = await startJobs({ STORE: folder.models, FEATURE_SOURCES, MAX_BATCH: "2" });
  onTestFinished(() => started.end());
  started.work();
  await expectStatusesOfBatch(started.ask);
});

test.runIf(hasSqlite)("so they do at an edge whose region looks up", async () => {
  const FEATURE_SOURCES = `customers=${folder.table}`;
  const region = await serveRegion({ STORE: folder.models, FEATURE_SOURCES });
  const spills = { SPILL_URL: region.url, SPILL_SECRET: SECRET, SESSION_BUDGET_MB: "0.0001" };
  const started = await startJobs({ STORE: folder.models, AUTH: "none", ...spills });
  onTestFinished(async () => {
    await started.end();
    await region.close();
  });
  started.work();
  await expectStatusesOfBatch(started.ask);
});

test.runIf(hasSqlite)("a batch of an earlier release ends in the form it began in", async () => {
  const FEATURE_SOURCES = `customers=${folder.table}`;
  const started = await startJobs({ STORE: folder.models, FEATURE_SOURCES });
  onTestFinished(() => started.end());
  const { ask, work, platform, batchName } = started;
  await ask("/v1/batches/old?model=churn", {
    method: "PUT",
    headers: { "Content-Type": "application/jsonl" },
    body: '{"customer_id": 42, "income": 1}\n',
  });
  const own = createBatchStore(platform.jobs?.store as Store, 5000);
  await own.change(await batchName("old"), (batch) => ({ ...batch, lookedUp: undefined }));
  work();
  await endOf(ask, "/v1/batches/old");
  const output = await (await ask("/v1/batches/old/output")).text();
  expect(output).toMatch(/^\{"value":[\d.-]+\}\n$/);
});

test("a call can ask for the statuses of each input, in one read", async () => {
  const { source, reads } = counted(createMemorySource("customers", customers()));
  const { post } = openChurn(await churnFolder({ cacheSeconds: 0 }), { sources: [source] });
  const ask = async (query: string, inputs: unknown) => {
    const answer = await post(`/v1/models/churn/predict${query}`, { inputs });
    return { status: answer.status, ...((await answer.json()) as { features: unknown }) };
  };
  const rows = [
    { customer_id: 42, income: 1 },
    { customer_id: 43, income: 1, age: 5 },
  ];
  const found = { status: "found", ageSeconds: expect.any(Number) as number };
  const given = { status: "given" };
  expect(await ask("?features=each", rows)).toMatchObject({
    status: 200,
    features: [
      { age: found, member: found, city: found },
      { age: given, member: found, city: found },
    ],
  });
  expect(reads).toHaveLength(1);
  expect((await ask("?features=each", rows[0])).features).toEqual({
    age: found,
    member: found,
    city: found,
  });
  expect((await ask("", rows)).features).toMatchObject({ age: { given: 1, found: 1 } });
  expect(await ask("?features=all", rows)).toMatchObject({
    status: 422,
    errors: [{ path: "features" }],
  });
  const whole = { age: 30, member: true, city: "Oslo", income: 1 };
  const answer = await post("/v1/models/whole/predict?features=each", { inputs: [whole] });
  expect(await answer.json()).not.toHaveProperty("features");
});

test("statuses are beside an output's members, and never in the place of one", () => {
  const features = { age: { status: "given" } };
  const line = (output: unknown) => JSON.parse(outputLine({ output, features })) as unknown;
  expect(line({ label: 'a"features":1' })).toEqual({ label: 'a"features":1', features });
  expect(line({})).toEqual({ features });
  expect(line({ in: { features: 1 } })).toEqual({ in: { features: 1 }, features });
  expect(line({ features: [1] })).toEqual({ output: { features: [1] }, features });
  expect(line(12.5)).toEqual({ output: 12.5, features });
  expect(line([1])).toEqual({ output: [1], features });
  expect(outputLine({ output: 12.5 })).toBe("12.5\n");
  expect(lineOf('{"id":9007199254740993}', "{}")).toBe('{"id":9007199254740993,"features":{}}\n');
  expect(csvLines({ columns: undefined, waiting: 1 }, [line(12.5), line(3)], ["age"])).toBe(
    "output,features.age.status,features.age.reason,features.age.ageSeconds\n,,,\n12.5,given,,\n3,given,,\n",
  );
});

test("outputs are found with what is behind them", () => {
  const [one, other] = ['{"features":[1],"n":9007199254740993}', '"],\\"features\\":["'];
  const statuses = '{"age":{"status":"found","ageSeconds":812.4}}';
  const answer = (rest: string) => `{"model":"m","version":"1","outputs":[${one},${other}]${rest}}`;
  const outputs = [one, other];
  expect(outputsIn(answer(`,"features":[${statuses},{}]`))).toEqual({
    outputs,
    features: [statuses, "{}"],
  });
  expect(outputsIn(answer(',"features":{"age":{"found":2}}'))).toEqual({ outputs });
  expect(outputsIn(answer(""))).toEqual({ outputs });
});
