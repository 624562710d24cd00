import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import { defineTask } from "../../functions/tasks/define.ts";

const models = await mkdtemp(join(tmpdir(), "nearcast-written-"));
afterAll(() => rm(models, { recursive: true }));
await cp(join(import.meta.dirname, "../../models/iris"), join(models, "iris"), { recursive: true });
const path = join(models, "iris/1/model.json");
const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
const fields = ["schema", "name", "version", "description", "artifact", "inputs", "outputs"];
const own = Object.fromEntries(fields.map((field) => [field, manifest[field]]));
await writeFile(path, JSON.stringify({ ...own, task: "drawing" }));

/** Blocks the process. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const events: string[] = [];
let [atOnce, most] = [0, 0];

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
  compile: () => ({
    preprocess(rows) {
      return rows.map((row) => {
        const data = Float32Array.of(5, 3, 1, 0.2);
        const feeds = { features: { datatype: "FP32" as const, shape: [1, 4], data } };
        return { feeds, rows: 1, context: row };
      });
    },
    outputNames: ["probabilities"],
    *postprocess(_outputs, { context }) {
      events.push(`begin ${context as string}`);
      for (let part = 0; part < 5; part++) {
        compute(6);
        yield;
      }
      events.push(`made ${context as string}`);
      return [`map ${context as string}`];
    },
    *write(made, { context }) {
      for (let part = 0; part < 2; part++) yield deflate;
      events.push(`written ${context as string}`);
      return made.map((map) => `mask of ${map as string}`);
    },
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
