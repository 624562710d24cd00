import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { expectClose } from "../harness/close.ts";
import { openService } from "./service.ts";

interface Package {
  name: string;
  version: string;
  examples: { input: unknown; output: unknown }[];
  metrics: { name: string; value: number; rows: number }[];
}

/** A line of `rank` has ten texts, and a request may have a thousand. */
const BATCH = 100;

/** Of models that take longer, some lines are asked here: conformance/parity.test.ts asks for all. */
const LINES: Record<string, number> = { entities: 100, objects: 20, rank: 30 };

const native = openService("models", "native");
const wasm = openService("models", "wasm");

const manifests = readdirSync("models", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith("model.json"))
  .toSorted();
const packages = manifests.map(
  (file) => JSON.parse(readFileSync(`models/${file}`, "utf8")) as Package,
);

async function answers(service: typeof native, { name, version }: Package, inputs: unknown[]) {
  const made: unknown[] = [];
  for (let start = 0; start < inputs.length; start += BATCH) {
    const path = `${name}/versions/${version}`;
    const { status, outputs } = await service.predict(path, inputs.slice(start, start + BATCH));
    expect(status).toBe(200);
    made.push(...(outputs as unknown[]));
  }
  return made;
}

function heldout(name: string) {
  const lines = readFileSync(`models/${name}/heldout.jsonl`, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as { input: unknown; label?: unknown });
}

// 8-bit sums round differently: labels must agree, scores only nearly.
const tolerance = (name: string, version: string) =>
  name === "digits" && version === "2" ? 0.1 : 1e-4;

describe.each(packages)("$name version $version", (model) => {
  test("answers its examples on both runtimes", async () => {
    for (const service of [native, wasm]) {
      const inputs = model.examples.map(({ input }) => input);
      const made = await answers(service, model, inputs);
      const expected = model.examples.map(({ output }) => output);
      expectClose(made, expected, tolerance(model.name, model.version));
    }
  });

  test("answers every held-out row alike on both runtimes, alone and in a batch", async () => {
    const lines = heldout(model.name);
    const inputs = lines.slice(0, LINES[model.name]).map(({ input }) => input);
    const [one, other] = [await answers(native, model, inputs), await answers(wasm, model, inputs)];
    expectClose(one, other, tolerance(model.name, model.version));
    for (const row of [0, inputs.length - 1]) {
      const alone = await native.predict(`${model.name}/versions/${model.version}`, inputs[row]);
      expectClose(alone.outputs, one[row], 1e-5);
    }
  });
});

test("retail finds the hidden product at the rate its manifest says", async () => {
  const model = packages.find(({ name }) => name === "retail") as Package;
  const lines = heldout("retail");
  const made = await answers(
    native,
    model,
    lines.map(({ input }) => input),
  );
  const hits = lines.filter(({ label }, row) =>
    (made[row] as { id: string }[]).some(({ id }) => id === label),
  );
  const rate = (name: string) => model.metrics.find((metric) => metric.name === name)?.value ?? 0;
  expect(hits.length / lines.length).toBeCloseTo(rate("hit_rate_at_10"), 2);
  expect(rate("hit_rate_at_10")).toBeGreaterThan(2 * rate("hit_rate_at_10_of_most_popular"));
});

test("search finds misspelt products at the rate its manifest says", async () => {
  const model = packages.find(({ name }) => name === "search") as Package;
  const lines = heldout("search");
  const queries = lines.filter(({ label }) => label !== undefined);
  const texts = lines.map(({ input, label }) => (label ?? input) as string);
  const vectors = (await answers(native, model, texts)) as number[][];
  const asked = (await answers(
    native,
    model,
    queries.map(({ input }) => input),
  )) as number[][];
  const found = asked.filter((query, row) => {
    const scores = vectors.map((vector) =>
      vector.reduce((sum, value, index) => sum + value * (query[index] ?? 0), 0),
    );
    const own = scores[texts.indexOf(queries[row]?.label as string)] ?? 0;
    return scores.filter((score) => score >= own - 1e-9).length <= 10;
  });
  const said = model.metrics.find(({ name }) => name === "recall_at_10")?.value ?? 0;
  expect(found.length / queries.length).toBeCloseTo(said, 2);
});

const label = (answer: unknown) => (answer as { label: string }).label;

test("the 8-bit digits keep the labels of version 1 but for one in a hundred", async () => {
  const inputs = heldout("digits").map(({ input }) => input);
  const [first, second] = await Promise.all(
    ["1", "2"].map((version) => answers(wasm, { name: "digits", version } as Package, inputs)),
  );
  const changed = inputs.filter((_, row) => label(first?.[row]) !== label(second?.[row]));
  expect(changed.length).toBeLessThanOrEqual(inputs.length / 100);
});
