import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Manifest } from "../../functions/model/manifest.ts";
import type { ScoresOptions } from "../../functions/tasks/classification/options.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";

const folder = join(import.meta.dirname, "../fixtures/identity/fp32/1");
const KIB = 1024;

/** A version from the time before examples had files, with megabytes of examples in its manifest. */
async function oldManifest(): Promise<Manifest> {
  const manifest = JSON.parse(await readFile(join(folder, "model.json"), "utf8")) as Manifest;
  const values = Array.from({ length: 300_000 }, (_, index) => [index / 7]);
  const large = { input: { x: values }, output: { x: values } };
  const small = { input: { x: [[1, 2]] }, output: { x: [[1, 2]] } };
  return {
    ...manifest,
    name: "large",
    description: "long ".repeat(50_000),
    examples: [large, small],
  };
}

/** A classifier with more labels than a list can show. */
async function manyLabels(): Promise<Manifest & { scores: ScoresOptions }> {
  const manifest = await oldManifest();
  const labels = Array.from({ length: 20_000 }, (_, index) => `species ${index}`);
  return {
    ...manifest,
    name: "many",
    task: "tabular-classification",
    description: "Many labels.",
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, labels.length] }],
    features: ["a", "b"].map((name) => ({ name, type: "number" as const })),
    labels,
    examples: [],
    scores: { output: "y", activation: "none" },
  };
}

describe.each(inThisFile(Object.entries(targets)))("on %s", (_name, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
    for (const manifest of [await oldManifest(), await manyLabels()]) {
      const { name } = manifest;
      const artifact = await readFile(join(folder, manifest.artifact.file));
      await server.store.put(`${name}/1/${manifest.artifact.file}`, artifact);
      await server.store.put(`${name}/1/model.json`, JSON.stringify(manifest));
      await server.store.put(`${name}/release.json`, JSON.stringify({ stable: "1" }));
    }
  });
  afterAll(() => server?.stop());

  const textOf = async (path: string) => {
    const response = await server.fetch(path);
    expect(response.status).toBe(200);
    return response.text();
  };

  test("a model's description has only its small examples", async () => {
    for (const path of ["/v1/models/large", "/v1/models/large/versions/1"]) {
      const text = await textOf(path);
      expect(text.length).toBeLessThan(300 * KIB);
      expect((JSON.parse(text) as Manifest).examples).toEqual([
        { input: { x: [[1, 2]] }, output: { x: [[1, 2]] } },
      ]);
    }
  });

  test("lists and the first page are small", async () => {
    for (const path of ["/v1/models", "/", "/v2", "/v2/models/large"])
      expect((await textOf(path)).length, path).toBeLessThan(16 * KIB);
  });

  test("/openapi.json is small and valid, with an example that is short", async () => {
    const text = await textOf("/openapi.json");
    // 86 KiB for all models together, about 3 for each, and 6 more for a photograph as an example, which is there twice.
    expect(text.length).toBeLessThan(145 * KIB);
    const description = JSON.parse(text) as {
      components: { schemas: Record<string, { properties?: object; examples?: unknown[] }> };
    };
    expect((await new Validator().validate({ ...description })).errors).toBeUndefined();
    const { schemas } = description.components;
    expect(schemas["large.input"]?.examples).toEqual([{ x: [[1, 2]] }]);
    expect(schemas["many.output"]).toMatchObject({
      properties: {
        label: { type: "string", description: "One of 20000 values." },
        scores: { type: "object", description: "Score by label, highest first. 20000 members." },
      },
    });
  });
});
