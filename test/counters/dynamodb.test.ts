import { afterAll, beforeAll, expect, test } from "vitest";
import { createDynamodbCounters } from "../../functions/platform/counters/dynamodb.ts";
import { countersContract } from "../../functions/testing.ts";
import { useDynamoDb, type DynamoDb } from "../harness/dynamodb.ts";
import { instanceOf } from "./shared.ts";

let table: DynamoDb;
beforeAll(async () => {
  table = await useDynamoDb("rates");
});
afterAll(() => table.stop());

const place = () => createDynamodbCounters("rates");

for (const { name, run } of countersContract(() => instanceOf(place()))) test(name, run);

test("a batch whose answer was lost is added once, and so are its parts", async () => {
  const sums = place();
  const fields = new Map(Array.from({ length: 700 }, (_, index) => [`${index}`, 1]));
  const group = { model: "iris", name: "again", keptSeconds: 60 };
  const batch = { instance: "abcd1234", turn: 1, model: "iris", groups: [{ ...group, fields }] };
  for (let tries = 0; tries < 3; tries++) await sums.add(batch);
  await sums.add({ ...batch, turn: 2 });
  expect(new Set((await sums.read(group)).values())).toEqual(new Set([2]));
});

// The last: the table is empty afterwards.
test("what is added while the table is out of reach is there afterwards, once", async () => {
  const [one, other] = [instanceOf(place()), instanceOf(place())];
  const group = { model: "iris", name: "down", keptSeconds: 60 };
  await table.takeDown();
  for (let round = 0; round < 4; round++) {
    one.add(group, new Map([["all", 1]]));
    await one.flush();
  }
  await expect(one.read(group)).rejects.toThrow();
  await table.bringBack();
  await expect.poll(async () => (await one.read(group)).get("all")).toBe(4);
  expect((await other.read(group)).get("all")).toBe(4);
});
