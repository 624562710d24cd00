import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createFileDecoders } from "../../functions/platform/file-decoders.ts";
import type { CompiledTask, Run } from "../../functions/tasks/define.ts";
import { createTasks } from "../../functions/tasks/tasks.ts";

const limits = {
  bodyBytes: 1e7,
  batch: 2000,
  textLength: 1000,
  imagePixels: 1e6,
  audioSeconds: 60,
  elements: 1e6,
  positionPairs: 1e6,
  answerBytes: 1e7,
};
const loadDecoder = createFileDecoders((name) => fileURLToPath(import.meta.resolve(name)));

/** The task of a shipped model, with another manifest. */
async function compiled(
  model: string,
  change: (manifest: Record<string, unknown>) => object,
  assets: Record<string, string> = {},
): Promise<CompiledTask> {
  const tasks = createTasks();
  const path = join(import.meta.dirname, `../../models/${model}/1/model.json`);
  const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const changed = tasks.parseManifest(JSON.stringify({ ...manifest, ...change(manifest) }));
  const files = Object.entries(assets).map(
    ([name, text]) => [name, new TextEncoder().encode(text)] as const,
  );
  return tasks.compile(changed, { limits, assets: new Map(files), loadDecoder });
}

function runsOf(task: CompiledTask, rows: unknown[], parameters = {}): readonly Run[] {
  const made = task.preprocess(rows, { pathOf: (row) => `inputs[${row}]`, parameters });
  if (made instanceof Promise) throw new Error("is made at once");
  if (!("next" in made)) return made;
  for (;;) {
    const part = made.next();
    if (part.done) return part.value;
  }
}

test("small images that the model wants large are run a few at a time, and not without end", async () => {
  const shape = [-1, 3, 224, 224];
  const task = await compiled("digits", (manifest) => ({
    inputs: [{ name: "pixels", datatype: "FP32", shape }],
    image: {
      ...(manifest["image"] as object),
      width: 224,
      height: 224,
      color: "rgb",
      mean: [0, 0, 0],
      std: [1, 1, 1],
    },
  }));
  const seven = await readFile(join(import.meta.dirname, "../../models/digits/seven.png"));
  const images = (count: number) => Array.from({ length: count }, () => new Uint8Array(seven));
  const runs = runsOf(task, images(8));
  expect(runs.map(({ rows }) => rows)).toEqual([6, 2]);
  expect(runs[1]?.feeds["pixels"]?.data).toEqual(
    runs[0]?.feeds["pixels"]?.data.slice(0, 2 * 3 * 224 * 224),
  );
  // Of all images, once.
  expect(runs.map(({ pixels }) => (pixels ?? 0) > 0)).toEqual([true, false]);
  expect(() => runsOf(task, images(107))).toThrow(
    "must have at most 106 images of the 3 × 224 × 224 numbers that the model takes, has 107",
  );
});

const baskets = (count: number) => Array.from({ length: count }, () => ["1"]);

test("baskets of a large catalogue too", async () => {
  const items = Array.from({ length: 40_000 }, (_, index) => ({ id: `${index}`, name: "item" }));
  const shape = [-1, items.length];
  const task = await compiled(
    "retail",
    ({ recommendation }) => ({
      inputs: [{ name: "basket", datatype: "FP32", shape }],
      outputs: [{ name: (recommendation as { output: string }).output, datatype: "FP32", shape }],
      recommendation: { ...(recommendation as object), catalogue: "catalogue.json" },
    }),
    { "catalogue.json": JSON.stringify(items) },
  );
  expect(runsOf(task, baskets(13)).map(({ rows }) => rows)).toEqual([6, 6, 1]);
  expect(() => runsOf(task, baskets(401))).toThrow(
    "must have at most 400 baskets of a catalogue of 40000 items, has 401",
  );
});
