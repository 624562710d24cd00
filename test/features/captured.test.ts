import { expect, test } from "vitest";
import { createMemorySource } from "../../functions/features/memory-source.ts";
import type { CapturedInput } from "../../functions/observe/capture/captured.ts";
import { capturedPrefix } from "../../functions/observe/capture/captured.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { churnFolder, customers, openChurn } from "./service.ts";

type Capture = NonNullable<Manifest["capture"]>;

const ALL: Capture = { rate: 1, redact: [], retentionDays: 30 };

async function captured(
  capture: Capture,
  ask: (open: ReturnType<typeof openChurn>) => Promise<unknown>,
) {
  const source = createMemorySource("customers", customers());
  const open = openChurn(await churnFolder({}, { capture }), { sources: [source] });
  await ask(open);
  await open.service.flushCaptured();
  const texts: string[] = [];
  for (const key of await open.store.list(capturedPrefix("churn"))) {
    const found = await open.store.get(key);
    if (found && found !== "not-modified") texts.push(new TextDecoder().decode(found.bytes));
  }
  return texts
    .join("")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CapturedInput);
}

test("the captured record has what was looked up, and how old it was", async () => {
  const [line] = await captured(ALL, ({ predict }) => predict({ customer_id: 42, income: 1 }));
  expect(line?.input).toEqual({ customer_id: 42, income: 1, age: 30, member: true, city: "Oslo" });
  const found = { status: "found", ageSeconds: expect.closeTo(60, -1) as number };
  expect(line?.features).toEqual({ age: found, member: found, city: found });
});

test("tensors that a dialect made of rows are captured with what was looked up, its statuses and their subjects", async () => {
  const capture = { ...ALL, subject: "customer_id" };
  const [line, other] = await captured(capture, ({ post }) =>
    post("/v1/models/churn:predict", {
      instances: [{ customer_id: 42, income: 1 }, { customer_id: 43, income: 1 }], // oxfmt-ignore
    }),
  );
  expect(line?.input).toEqual({ customer_id: 42, income: 1, age: 30, member: true, city: "Oslo" });
  const found = { status: "found", ageSeconds: expect.closeTo(60, -1) as number };
  expect(line?.features).toEqual({ age: found, member: found, city: found });
  expect(line?.subject).toMatch(/^[\da-f]{64}$/);
  expect(other?.subject).not.toBe(line?.subject);
});

test("looked-up features, their statuses and keys are redacted as what was sent is, and belong to their subject", async () => {
  const capture = { ...ALL, redact: ["age", "customer_id"], subject: "customer_id" };
  const lines = await captured(capture, ({ predict }) => predict([{ customer_id: 42, income: 1 }, { customer_id: 43, income: 1 }])); // oxfmt-ignore
  expect(lines[0]?.input).toEqual({ income: 1, member: true, city: "Oslo" });
  expect(Object.keys(lines[0]?.features as object)).toEqual(["member", "city"]);
  expect(lines[0]?.subject).toMatch(/^[\da-f]{64}$/);
  expect(lines[1]?.subject).not.toBe(lines[0]?.subject);
});

test("the access log has inputs as they were sent, and never what was looked up", async () => {
  const logging = { inputs: true as const, redact: [] };
  const source = createMemorySource("customers", customers());
  const { predict, logs } = openChurn(await churnFolder({}, { logging }), { sources: [source] });
  await predict({ customer_id: 42, income: 1 });
  const line = logs.find(({ model }) => model === "churn");
  expect(line?.["inputs"]).toEqual({ customer_id: 42, income: 1 });
});
