import { expect, onTestFinished, test, vi } from "vitest";
import { createMemorySource } from "../../functions/features/memory-source.ts";
import { acting, churnFolder, counted, customers, openChurn } from "./service.ts";

const folder = await churnFolder();
/** `city` may be missing. */
const MAY_MISS = [
  { name: "age", type: "integer" },
  { name: "income", type: "number" },
  { name: "member", type: "boolean" },
  { name: "city", type: "string", missing: "none" },
] as const;
const OSLO = { age: 30, member: true, city: "Oslo" };

test("the caller sends a key, and gets the answer of all features sent whole", async () => {
  const { source, reads } = counted(createMemorySource("customers", customers()));
  const { predict, whole, logs } = openChurn(folder, { sources: [source] });
  const { status, outputs, features, headers } = await predict({ customer_id: 42, income: 12.5 });
  expect(status).toBe(200);
  expect(outputs).toEqual(await whole({ ...OSLO, income: 12.5 }));
  const found = { status: "found", ageSeconds: expect.closeTo(60, -1) as number };
  expect(features).toEqual({ age: found, member: found, city: found });
  expect(reads).toEqual([{ entities: 1, names: ["age", "member", "city"] }]);
  expect(headers.get("x-feature-status")).toMatch(/^found=3, oldest=6\d$/);
  const line = logs.find(({ model }) => model === "churn");
  expect(line).toMatchObject({ features: { found: 3, given: 0, default: 0, missing: 0 } });
  expect(line?.["phases"]).toHaveProperty("features");
});

test("the oldest time is told where other values have none, and then those count as too old", async () => {
  const at = Date.now() - 60_000;
  const rows = [{ values: [30, true, "Oslo"], at: [at, undefined, at + 30_000] }];
  const sources = [acting(async () => rows)];
  const row = { customer_id: 42, income: 1 };
  const { predict } = openChurn(folder, { sources });
  expect((await predict(row)).headers.get("x-feature-status")).toMatch(/^found=3, oldest=6\d$/);
  const several = await predict([row, row]);
  expect(several.headers.get("x-feature-status")).toMatch(/^found=6, oldest=6\d$/);
  const bound = openChurn(await churnFolder({ maxAgeSeconds: 3600 }), { sources });
  expect((await bound.predict(row)).errors.map(({ path }) => path)).toEqual(["inputs.member"]);
});

test("what the caller gives wins, and nothing is read where nothing is missing", async () => {
  const { source, reads } = counted(createMemorySource("customers", customers()));
  const { predict, whole } = openChurn(folder, { sources: [source] });
  const some = await predict({ customer_id: 42, income: 1, age: 77, city: null });
  expect(some.outputs).toEqual(await whole({ ...OSLO, age: 77, income: 1 }));
  expect(some.features).toMatchObject({ age: { status: "given" }, city: { status: "found" } });
  const all = await predict([{ income: 1, ...OSLO }, { income: 2, customer_id: 9, ...OSLO }]); // oxfmt-ignore
  expect(all.outputs).toEqual(await whole([{ income: 1, ...OSLO }, { income: 2, ...OSLO }])); // oxfmt-ignore
  expect(all.headers.get("x-feature-status")).toBe("given=6");
  expect((await predict([30, 12.5, true, "Oslo"])).features).toMatchObject({
    age: { status: "given" },
  });
  expect(reads).toHaveLength(1);
});

test("1,000 inputs are one read, and each entity is in it once", async () => {
  const stored = Array.from({ length: 600 }, (_, customer_id) => ({
    keys: { customer_id },
    values: { age: customer_id % 100, member: true, city: "Oslo" },
  }));
  const { source, reads } = counted(createMemorySource("customers", stored));
  const { predict, whole } = openChurn(folder, { sources: [source] });
  const ids = Array.from({ length: 1000 }, (_, index) => (index * 7) % 600);
  const { outputs, features } = await predict(
    ids.map((customer_id) => ({ customer_id, income: 1 })),
  );
  const sent = ids.map((id) => ({ age: id % 100, member: true, city: "Oslo", income: 1 }));
  expect(outputs).toEqual(await whole(sent));
  expect(features).toEqual({
    age: { found: 1000 },
    member: { found: 1000 },
    city: { found: 1000 },
  });
  expect(reads).toEqual([{ entities: 600, names: ["age", "member", "city"] }]);
});

test("a value is read again only after the cache's time", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const { source, reads } = counted(createMemorySource("customers", customers()));
  const { predict } = openChurn(folder, { sources: [source] });
  for (let call = 0; call < 3; call++) await predict({ customer_id: 42, income: call });
  await predict([{ customer_id: 42, income: 1 }, { customer_id: 43, income: 1 }]); // oxfmt-ignore
  expect(reads.map(({ entities }) => entities)).toEqual([1, 1]);
  vi.setSystemTime(Date.now() + 5000);
  await predict({ customer_id: 42, income: 1 });
  expect(reads).toHaveLength(3);
  const uncached = counted(createMemorySource("customers", customers()));
  const open = openChurn(await churnFolder({ cacheSeconds: 0 }), { sources: [uncached.source] });
  for (let call = 0; call < 3; call++) await open.predict({ customer_id: 42, income: call });
  expect(uncached.reads).toHaveLength(3);
});

test("kept answers are of the values that were looked up, not of the keys", async () => {
  const cached = await churnFolder({ cacheSeconds: 0 }, { cache: { ttlSeconds: 600 } });
  let age = 30;
  const source = acting(async () => [{ values: [age, true, "Oslo"] }]);
  const { predict, whole } = openChurn(cached, { sources: [source] });
  await predict({ customer_id: 42, income: 1 });
  age = 80;
  const { outputs } = await predict({ customer_id: 42, income: 1 });
  expect(outputs).toEqual(await whole({ age: 80, member: true, city: "Oslo", income: 1 }));
});

test("keys that are missing or wrong are refused with their paths", async () => {
  const { source, reads } = counted(createMemorySource("customers", customers()));
  const { predict } = openChurn(folder, { sources: [source] });
  const wrong = [undefined, "42", 1.5, null, { $gt: 0 }, ["42"]];
  const { status, code, errors } = await predict(
    wrong.map((customer_id) => ({ customer_id, income: 1 })),
  );
  expect([status, code]).toEqual([422, "invalid_input"]);
  expect(errors.map(({ path }) => path)).toEqual(
    wrong.map((_, index) => `inputs[${index}].customer_id`),
  );
  expect(errors[0]?.message).toBe("is missing");
  expect(errors[1]?.message).toBe("must be an integer, of at most 2^53");
  const texts = await churnFolder({ keys: [{ name: "customer_id", type: "string" }] });
  const { predict: ask } = openChurn(texts, { sources: [source] });
  const bad = await ask(
    ["", 42, "\ud800", "x".repeat(500)].map((customer_id) => ({ customer_id, income: 1 })),
  );
  expect(bad.errors.map(({ message }) => message)).toEqual([
    "must be a text, and not empty",
    "must be a text, and not empty",
    "must be well-formed Unicode",
    "has keys that are too long: customer_id",
  ]);
  expect(reads).toEqual([]);
});

/** The second input is too old, and the third is not known. */
const lacking = (status: string) => [
  { input: 1, status, reason: "stale" },
  { input: 2, status, reason: "not_found" },
];

test("a feature that is not known or too old has its default, or is missing where the model allows it, or is refused", async () => {
  const source = createMemorySource("customers", [
    {
      keys: { customer_id: 1 },
      values: { age: 30, member: true, city: "Oslo" },
      at: Date.now() - 7200_000,
    },
    { keys: { customer_id: 2 }, values: { age: 30, member: true, city: "Oslo" }, at: Date.now() },
    { keys: { customer_id: 3 }, values: { age: 30, member: true, city: "Oslo" } },
  ]);
  const ages = { maxAgeSeconds: 3600 };
  const refusing = openChurn(await churnFolder(ages), { sources: [source] });
  const inputs = [1, 2, 3, 4].map((customer_id) => ({ customer_id, income: 1 }));
  const { status, errors } = await refusing.predict(inputs);
  expect(status).toBe(422);
  expect(errors.filter(({ path }) => path.endsWith(".age"))).toEqual([
    {
      path: "inputs[0].age",
      message: "is known to customers only from more than 3600 s ago: send it",
    },
    {
      path: "inputs[2].age",
      message: "is known to customers only from more than 3600 s ago: send it",
    },
    { path: "inputs[3].age", message: "is not known to customers for this customer_id: send it" },
  ]);
  const features = [{ name: "age", default: 50 }, { name: "member", default: false }, { name: "city" }]; // oxfmt-ignore
  const withDefaults = await churnFolder({ ...ages, features }, { features: [...MAY_MISS] });
  const { predict, whole } = openChurn(withDefaults, { sources: [source] });
  const answer = await predict(inputs.slice(1));
  const oldestSeconds = expect.closeTo(0, -1) as number;
  expect(answer.features).toEqual({
    age: { found: 1, oldestSeconds, default: 2, others: lacking("default") },
    member: { found: 1, oldestSeconds, default: 2, others: lacking("default") },
    city: { found: 1, oldestSeconds, missing: 2, others: lacking("missing") },
  });
  const one = await predict({ customer_id: 4, income: 1 });
  expect(one.features).toEqual({
    age: { status: "default", reason: "not_found" },
    member: { status: "default", reason: "not_found" },
    city: { status: "missing", reason: "not_found" },
  });
  expect((answer.outputs as unknown[])[0]).toEqual(await whole({ ...OSLO, income: 1 }));
  expect(answer.headers.get("x-feature-status")).toMatch(
    /^found=3, default=4, missing=2, oldest=\d$/,
  );
});

test("a source that fails or is slow is answered with 503 or 504, and never with a guess", async () => {
  const failing = acting(() => Promise.reject(new Error("ECONNREFUSED 10.1.2.3")));
  const down = openChurn(folder, { sources: [failing] });
  const refused = await down.predict({ customer_id: 42, income: 1 });
  expect([refused.status, refused.code]).toEqual([503, "features_unavailable"]);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(refused.detail).not.toContain("10.1.2.3");
  expect(down.logs).toContainEqual(
    expect.objectContaining({ error: "Error: ECONNREFUSED 10.1.2.3" }),
  );
  const never = acting(() => new Promise(() => undefined));
  const slow = openChurn(await churnFolder({ timeoutMs: 20 }), { sources: [never] });
  const late = await slow.predict({ customer_id: 42, income: 1 });
  expect([late.status, late.code]).toEqual([504, "features_late"]);
  expect(late.detail).toContain("customers");
  expect(late.headers.get("retry-after")).toBe("1");
  const hurried = openChurn(folder, { sources: [never] });
  const half = await hurried.predict(
    { customer_id: 42, income: 1 },
    { "X-Request-Timeout-Ms": "2000" },
  );
  expect([half.status, half.code]).toEqual([504, "features_late"]);
  const [, waitedMs] =
    /^The features of customers did not come within (\d+) ms/.exec(half.detail) ?? [];
  expect(Number(waitedMs)).toBeLessThanOrEqual(1000);
  const short = acting(async () => []);
  const wrong = await openChurn(folder, { sources: [short] }).predict({
    customer_id: 42,
    income: 1,
  });
  expect([wrong.status, wrong.code]).toEqual([503, "features_unavailable"]);
});

test("while a source is down, defaults answer where the manifest has them for all that is lacking", async () => {
  const features = [{ name: "age", default: 50 }, { name: "member", default: false }, { name: "city" }]; // oxfmt-ignore
  const failing = acting(() => Promise.reject(new Error("down")));
  const { predict, whole } = openChurn(
    await churnFolder({ features }, { features: [...MAY_MISS] }),
    { sources: [failing] },
  );
  const answer = await predict({ customer_id: 42, income: 1, city: "Oslo" });
  expect(answer.outputs).toEqual(await whole({ age: 50, member: false, city: "Oslo", income: 1 }));
  expect(answer.features).toMatchObject({ age: { status: "default", reason: "unavailable" } });
  expect((await predict({ customer_id: 42, income: 1 })).status).toBe(503);
});

test("a value that the graph cannot take is the source's mistake, not the caller's", async () => {
  for (const [values, words] of [
    [
      { age: "30", member: true, city: "Oslo" },
      "inputs.age of customers for this customer_id must be a number",
    ],
    [{ age: 30.5, member: true, city: "Oslo" }, "must be an integer"],
    [{ age: 30, member: 1, city: "Oslo" }, "must be true or false"],
    [{ age: 30, member: true, city: "Paris" }, 'must be one of "Oslo", "Bergen"'],
    [{ age: 999, member: true, city: "Oslo" }, "must be at most 150 years"],
  ] as const) {
    const source = createMemorySource("customers", [{ keys: { customer_id: 42 }, values }]);
    const answer = await openChurn(folder, { sources: [source] }).predict({
      customer_id: 42,
      income: 1,
    });
    expect([answer.status, answer.code]).toEqual([502, "features_invalid"]);
    expect(answer.detail).toContain(words);
  }
});

test("a deployment without the source says so, and two of one name are refused", async () => {
  const { predict } = openChurn(folder);
  const answer = await predict({ customer_id: 42, income: 1 });
  expect([answer.status, answer.code]).toEqual([503, "features_unavailable"]);
  expect(answer.detail).toContain("FEATURE_SOURCES");
  const twice = createMemorySource("customers", []);
  expect(() => openChurn(folder, { sources: [twice, twice] })).toThrow(
    /two sources of features named customers/,
  );
});

test("a lookup that does not fit the features is refused", async () => {
  for (const [lookup, words] of [
    [{ features: [{ name: "agee" }] }, "agee is not a feature"],
    [{ features: [{ name: "age" }, { name: "age" }] }, "age is there twice"],
    [{ features: [{ name: "age", default: "old" }] }, "the default of age must be a number"],
    [{ features: [{ name: "income", default: 1e300 }] }, "the default of income must be a number"],
    [
      { keys: [{ name: "city", type: "integer" }], features: [{ name: "age" }] },
      "which is a string",
    ],
    [{ source: "../customers" }, "source"],
  ] as const) {
    const open = openChurn(await churnFolder(lookup as object));
    const answer = await open.predict({ customer_id: 42, income: 1 });
    expect([answer.status, answer.code]).toEqual([502, "model_corrupt"]);
    expect(JSON.stringify(open.logs)).toContain(words);
  }
});
