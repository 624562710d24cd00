import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectClose, expectSame } from "../harness/close.ts";
import { shippedModels } from "../harness/models.ts";
import { targets, type Target } from "../harness/targets.ts";

const BATCH = 100;
/** What a version must reach to be shipped. */
const FLOORS: Record<string, number> = { iris: 0.93, sentiment: 0.8, digits: 0.96 };

// Every held-out row of every model, on every runtime.
const running = new Map<keyof typeof targets, Target>();

beforeAll(async () => {
  for (const name of Object.keys(targets) as (keyof typeof targets)[])
    running.set(name, await targets[name]());
});
afterAll(async () => {
  for (const target of running.values()) await target.stop();
});

async function predictAll(on: keyof typeof targets, model: string, inputs: unknown[]) {
  const answers: unknown[] = [];
  for (let start = 0; start < inputs.length; start += BATCH) {
    const response = await (running.get(on) as Target).fetch(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: inputs.slice(start, start + BATCH) }),
    });
    expect(response.status).toBe(200);
    answers.push(...((await response.json()) as { outputs: unknown[] }).outputs);
  }
  return answers;
}

describe.each(shippedModels.map((model) => [model.manifest.name, model] as const))(
  "%s",
  (name, { manifest, heldout }) => {
    const answers = new Map<keyof typeof targets, unknown[]>();
    beforeAll(async () => {
      expect(heldout.length).toBeGreaterThanOrEqual(200);
      const inputs = heldout.map(({ input }) => input);
      for (const on of running.keys()) answers.set(on, await predictAll(on, name, inputs));
    });

    test("native and WASM give the same labels and items, and numbers within 1e-4, above 1 of their size", () => {
      expectClose(answers.get("worker"), answers.get("node"), 1e-4);
    });

    test("RUNTIME=wasm on Node is bit-identical to workerd, and Lambda to Node", () => {
      expectSame(manifest.task, answers.get("nodeWasm"), answers.get("worker"));
      expect(answers.get("lambda")).toEqual(answers.get("node"));
    });

    const accuracy = manifest.metrics.find((metric) => metric.name === "accuracy");
    test.runIf(accuracy)("the manifest's accuracy is reached on the labelled rows", () => {
      const predicted = answers.get("node") as { label: string }[];
      const labelled = heldout.flatMap(({ label }, row) =>
        label === undefined ? [] : [{ label, row }],
      );
      const right = labelled.filter(({ label, row }) => predicted[row]?.label === label);
      expect(accuracy?.value).toBeGreaterThanOrEqual(FLOORS[name] ?? 0);
      expect(labelled).toHaveLength(accuracy?.rows ?? NaN);
      expect(right.length / labelled.length).toBeCloseTo(accuracy?.value ?? NaN, 4);
    });
  },
);
