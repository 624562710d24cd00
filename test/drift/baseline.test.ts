import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Baseline } from "../../functions/model/baseline.ts";
import type { Manifest } from "../../functions/model/manifest.ts";
import { nearcast, root, succeed, temporaryFolder } from "../cli/nearcast.ts";

const LIMIT_MS = 120_000;

/** A model that was not released. */
async function unreleased(name: string): Promise<string> {
  const models = await temporaryFolder();
  await cp(join(root, "models", name, "1"), join(models, name, "1"), { recursive: true });
  return models;
}

async function baselineOf(models: string, name: string, data?: string): Promise<Baseline> {
  const heldOut = join(root, "models", name, "heldout.jsonl");
  await succeed(["baseline", name, "--data", data ?? heldOut, "--models", models]);
  const text = await readFile(join(models, name, "1/model.json"), "utf8");
  return (JSON.parse(text) as Manifest).baseline as Baseline;
}

const names = ({ quantities }: Baseline) => quantities.map(({ name }) => name);
const sum = (counts: readonly number[]) => counts.reduce((all, one) => all + one, 0);

test(
  "features, labels and scores of a table; the rest of the manifest stays",
  async () => {
    const models = await unreleased("iris");
    const path = join(models, "iris/1/model.json");
    const before = JSON.parse(await readFile(path, "utf8")) as Manifest;
    await writeFile(path, JSON.stringify({ ...before, "x-own": 1 }));
    const baseline = await baselineOf(models, "iris");
    expect(names(baseline)).toEqual([
      "sepal_length",
      "sepal_width",
      "petal_length",
      "petal_width",
      "prediction.label",
      "prediction.score",
    ]);
    for (const { counts } of baseline.quantities) expect(sum(counts)).toBe(baseline.rows);
    const label = baseline.quantities[4];
    expect(label).toMatchObject({ categories: ["setosa", "versicolor", "virginica"] });
    // Each bin of a feature has about a tenth of the rows.
    const [feature] = baseline.quantities;
    expect(feature?.edges?.length).toBeGreaterThan(4);
    expect(Math.max(...(feature?.counts ?? []))).toBeLessThan(baseline.rows / 3);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ ...before, "x-own": 1 });
    await succeed(["verify", "iris", "--models", models, "--runtime", "native"]);
  },
  LIMIT_MS,
);

test(
  "texts, images, vectors and baskets have quantities of their own",
  async () => {
    const text = await baselineOf(await unreleased("sentiment"), "sentiment");
    expect(names(text)).toEqual(["text_length", "prediction.label", "prediction.score"]);
    const image = await baselineOf(await unreleased("digits"), "digits");
    expect(names(image)).toEqual([
      "brightness",
      "image_pixels",
      "prediction.label",
      "prediction.score",
    ]);
    expect(image.quantities[0]?.edges?.length).toBe(9);
    const basket = await baselineOf(await unreleased("retail"), "retail");
    expect(names(basket)).toEqual(["basket_size", "prediction.item", "prediction.score"]);
    const models = await unreleased("search");
    const data = join(models, "texts.jsonl");
    const texts = Array.from({ length: 20 }, (_, at) => ({ input: "a word ".repeat(at + 1) }));
    await writeFile(data, texts.map((one) => JSON.stringify(one)).join("\n"));
    const vectors = await baselineOf(models, "search", data);
    expect(names(vectors)).toContain("prediction.projection_8");
    expect(vectors.quantities.at(-1)?.edges?.length).toBe(9);
  },
  LIMIT_MS,
);

test("CSV without labels will do", async () => {
  const models = await unreleased("iris");
  const data = join(models, "train.csv");
  const rows = Array.from({ length: 30 }, (_, at) => `${4 + at / 10},3,1.4,0.2`);
  await writeFile(data, `sepal_length,sepal_width,petal_length,petal_width\n${rows.join("\n")}\n`);
  const { rows: count, quantities } = await baselineOf(models, "iris", data);
  expect(count).toBe(30);
  // Ten bins of three values, between the values; one for missing ones.
  expect(quantities[0]?.counts).toEqual([...Array.from({ length: 10 }, () => 3), 0]);
  expect(quantities[0]?.edges?.[0]).toBeGreaterThan(4.2);
  expect(quantities[0]?.edges?.[0]).toBeLessThan(4.31);
});

test("a released version gets none, and bad data is named by its line", async () => {
  const heldOut = join(root, "models/iris/heldout.jsonl");
  const released = await temporaryFolder();
  await cp(join(root, "models/iris"), join(released, "iris"), { recursive: true });
  const refused = await nearcast(["baseline", "iris", "--data", heldOut, "--models", released]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/released version never changes/);
  const models = await unreleased("iris");
  const data = join(models, "bad.jsonl");
  await writeFile(data, '{"input": [1, 2, 3, 4]}\n{"input": [1, 2, 3, "x"]}\n');
  const bad = await nearcast(["baseline", "iris", "--data", data, "--models", models]);
  expect(bad.stderr).toMatch(/Line 2 of the data: .*must be a number/);
});
