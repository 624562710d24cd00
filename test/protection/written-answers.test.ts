import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { createDeferred } from "../../functions/deferred.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { defineTask } from "../../functions/tasks/define.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-written-"));
afterAll(() => rm(models, { recursive: true }));
for (const model of ["iris", "anomaly"]) {
  await cp(join(import.meta.dirname, "../../models", model), join(models, model), {
    recursive: true,
  });
  const path = join(models, model, "1/model.json");
  const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  const fields = ["schema", "name", "version", "description", "artifact", "inputs", "outputs"];
  const own = Object.fromEntries(fields.map((field) => [field, manifest[field]]));
  await writeFile(path, JSON.stringify({ ...own, task: "drawing" }));
}

/** Blocks the process. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const sizeOf = (name: unknown) => (String(name).startsWith("large") ? LARGE : 1);

const events: string[] = [];
let [atOnce, most] = [0, 0];
/** Bytes of maps that are made, or wait to be written, and the most of them. */
let [held, mostHeld] = [0, 0];
/** The room is of 4 bytes for each of these. */
const PIXELS = 16_000_000;
const LARGE = 30_000_000;

async function deflate(): Promise<void> {
  most = Math.max(most, ++atOnce);
  await sleep(10);
  atOnce--;
}

/** Makes a map of the outputs in 5 parts of 6 ms, and writes it in 2, each of which waits for another thread. */
const drawing = defineTask({
  name: "drawing",
  options: {},
  parameters: z.strictObject({}),
  input: "json",
  compile: ({ manifest: { inputs, outputs } }) => ({
    preprocess(rows) {
      const [{ name, shape } = { name: "", shape: [] }] = inputs;
      const width = shape.at(-1) ?? 0;
      return rows.map((row) => {
        const data = new Float32Array(width).fill(1);
        const feeds = { [name]: { datatype: "FP32" as const, shape: [1, width], data } };
        return { feeds, rows: 1, context: row };
      });
    },
    outputNames: outputs.slice(0, 1).map(({ name }) => name),
    *postprocess(_outputs, { context }) {
      events.push(`begin ${context as string}`);
      mostHeld = Math.max(mostHeld, (held += sizeOf(context)));
      for (let part = 0; part < 5; part++) {
        // Large maps are made sooner than written.
        if (sizeOf(context) < LARGE) compute(6);
        yield;
      }
      events.push(`made ${context as string}`);
      return [`map ${context as string}`];
    },
    *write(made, { context }) {
      for (let part = 0; part < 2; part++) yield deflate;
      held -= sizeOf(context);
      events.push(`written ${context as string}`);
      return made.map((map) => `mask of ${map as string}`);
    },
    unwrittenBytes: ({ context }) => sizeOf(context),
    madeBytes: (answers) => answers.length * 1000,
  }),
  schema: () => ({ input: { type: "string" }, output: { type: "string" } }),
});

test("no run goes on while outputs are needed, and others do while answers are written", async () => {
  const service = createService(createNodePlatform({ STORE: models }), { tasks: [drawing] });
  const names = ["a", "b", "c", "d", "e", "f"];
  const asked = names.map((inputs) => service.predict({ model: "iris", inputs }));
  const answers = await Promise.all(asked);
  expect(answers.map(({ outputs }) => outputs)).toEqual(names.map((name) => `mask of map ${name}`));
  expect(answers.map(({ answerBytes }) => answerBytes)).toEqual(names.map(() => 1000));
  const made = events.filter((event) => !event.startsWith("written"));
  expect(made).toEqual(names.flatMap((name) => [`begin ${name}`, `made ${name}`]));
  expect(events.indexOf("written a")).toBeGreaterThan(events.indexOf("begin b"));
  // Other threads have two of them at most.
  expect(most).toBeLessThanOrEqual(2);
});

test("several pictures of a request are written in their order, and their bytes count together", async () => {
  const service = createService(createNodePlatform({ STORE: models }), { tasks: [drawing] });
  const inputs = ["x", "y", "z"];
  const { outputs, answerBytes } = await service.predict({ model: "iris", inputs });
  expect(outputs).toEqual(inputs.map((name) => `mask of map ${name}`));
  expect(answerBytes).toBe(3000);
  const small = createNodePlatform({ STORE: models, MAX_ANSWER_BYTES: "2500" });
  const asked = createService(small, { tasks: [drawing] }).predict({ model: "iris", inputs });
  await expect(asked).rejects.toMatchObject({ code: "answer_too_large" });
});

const large = (name: string) => Array.from({ length: 8 }, (_, index) => `large ${name} ${index}`);

test("what waits to be written has a bound, however many ask at once", async () => {
  const platform = createNodePlatform({ STORE: models, MAX_IMAGE_PIXELS: String(PIXELS) });
  const service = createService(platform, { tasks: [drawing] });
  await Promise.all(large("a").map((inputs) => service.predict({ model: "iris", inputs })));
  expect(mostHeld).toBeGreaterThanOrEqual(2 * LARGE);
  expect(mostHeld).toBeLessThanOrEqual(4 * PIXELS);
  expect(held).toBe(0);
});

test("calls whose model still loads take no room from others", async () => {
  const opened = createDeferred<void>();
  const platform = createNodePlatform({ STORE: models, MAX_IMAGE_PIXELS: String(PIXELS) });
  const runtime = await platform.runtime();
  let loads = 0;
  const service = createService(
    {
      ...platform,
      runtime: async () => ({
        ...runtime,
        async load(...parts) {
          if (++loads > 1) await opened.promise;
          return runtime.load(...parts);
        },
      }),
    },
    { tasks: [drawing] },
  );
  await service.predict({ model: "iris", inputs: "first" });
  const cold = large("cold").map((inputs) => service.predict({ model: "anomaly", inputs }));
  await expect.poll(() => loads).toBe(2);
  await Promise.all(large("warm").map((inputs) => service.predict({ model: "iris", inputs })));
  expect(events).not.toContain("begin large cold 0");
  opened.resolve();
  await Promise.all(cold);
  expect(events).toContain("written large cold 7");
});
