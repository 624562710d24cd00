import { expect, test } from "vitest";
import { createMemorySource } from "../../functions/features/memory-source.ts";
import { samplesOf } from "../harness/samples.ts";
import { acting, churnFolder, customers, openChurn } from "./service.ts";

const rows = [
  ...customers(),
  ...customers(Date.now() - 7200_000).map((row) => ({ ...row, keys: { customer_id: 1 } })),
];

async function countsOf({ app }: ReturnType<typeof openChurn>) {
  const samples = samplesOf(await (await app.request("/metrics")).text());
  return (name: string) =>
    samples.get(`nearcast_feature_${name}{model="churn",version="1",source="customers"}`);
}

test("reads, seconds, values, misses and stale values are counted by source", async () => {
  const folder = await churnFolder({ maxAgeSeconds: 3600 });
  const open = openChurn(folder, { sources: [createMemorySource("customers", rows)] });
  for (let call = 0; call < 2; call++) await open.predict({ customer_id: 42, income: 1 });
  expect((await open.predict({ customer_id: 1, income: 1 })).status).toBe(422);
  const all = { age: 1, member: true };
  expect((await open.predict([{ customer_id: 9, income: 1, ...all }])).status).toBe(422);
  await open.predict({ income: 1, city: "Oslo", ...all });
  const count = await countsOf(open);
  expect(count("reads_total")).toBe(3);
  expect(count("read_duration_seconds_count")).toBe(3);
  expect(count("read_duration_seconds_sum")).toBeGreaterThan(0);
  expect(count("values_total")).toBe(6);
  expect(count("stale_total")).toBe(3);
  expect(count("misses_total")).toBe(1);
});

test("reads that fail are counted, and a version without a look-up counts none", async () => {
  const down = acting(async () => Promise.reject(new Error("down")));
  const open = openChurn(await churnFolder(), { sources: [down] });
  await open.predict({ customer_id: 42, income: 1 });
  await open.whole({ age: 30, member: true, city: "Oslo", income: 1 });
  const count = await countsOf(open);
  expect([count("reads_total"), count("read_failures_total")]).toEqual([1, 1]);
  expect(count("values_total") ?? 0).toBe(0);
});
