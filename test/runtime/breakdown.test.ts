import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inThisFile } from "../harness/in-this-file.ts";
import { targets, type Target } from "../harness/targets.ts";
import { putFixtures } from "./put-fixtures.ts";

const setosa = [5.1, 3.5, 1.4, 0.2];
/** No INT32 holds -2147483648 / -1: WASM traps, and the native runtime's process dies. */
const unrepresentable = { a: [6, -2147483648], b: [3, -1] };

const PLATFORMS = inThisFile(["worker", "nodeWasm"] as const);

describe.each(PLATFORMS)("when ONNX Runtime breaks down: %s", (name) => {
  let target: Target;
  beforeAll(async () => {
    target = await targets[name]();
    await putFixtures(target, "breaking", ["divide", "allocate", "many"]);
  });
  afterAll(() => target.stop());

  async function predict(model: string, inputs: unknown) {
    const response = await target.fetch(`/v1/models/${model}/predict`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs }),
    });
    const { status } = response;
    return { status, headers: response.headers, body: (await response.json()) as Answer };
  }

  async function expectSetosa(): Promise<void> {
    const { status, body } = await predict("iris", setosa);
    expect([status, body.outputs]).toMatchObject([200, { label: "setosa" }]);
  }

  test("a trap in a run is that request's failure, and the next has a fresh runtime, again and again", async () => {
    for (let cycle = 0; cycle < 6; cycle++) {
      await expectSetosa();
      const failed = await predict("divide", unrepresentable);
      expect([failed.status, failed.body.code]).toEqual([503, "runtime_failed"]);
      expect(failed.headers.get("retry-after")).toBe("1");
      await expectSetosa();
      const divided = await predict("divide", { a: [6, -9], b: [3, 3] });
      expect(divided.body.outputs).toEqual({ y: [2, -3] });
    }
  });

  test("a run that needs more memory than there is fails clearly and harms nothing", async () => {
    for (let cycle = 0; cycle < 3; cycle++) {
      await expectSetosa();
      const failed = await predict("allocate", { elements: [1_000_000_000] });
      expect([failed.status, failed.body.code]).toEqual([507, "out_of_memory"]);
      const small = await predict("allocate", { elements: [5] });
      expect(small.body.outputs).toEqual({ largest: 1 });
    }
    await expectSetosa();
  });

  test("requests beside one that traps are answered rightly, or told to try again", async () => {
    for (let cycle = 0; cycle < 3; cycle++) {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          index === 5 ? predict("divide", unrepresentable) : predict("iris", setosa),
        ),
      );
      for (const [index, { status, body }] of answers.entries())
        if (index === 5 || status !== 200)
          expect([status, body.code]).toEqual([503, "runtime_failed"]);
        else expect(body.outputs).toMatchObject({ label: "setosa" });
      await expectSetosa();
    }
  });

  test("runs of many arguments at once do not mix", async () => {
    // All wait for one load, and then begin together.
    await target.restart();
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, request) => predict("many", thirtyInputs(request))),
    );
    for (const [request, { status, body }] of answers.entries()) {
      expect(status, JSON.stringify(body)).toBe(200);
      for (let index = 0; index < 30; index++)
        expect(body.outputs[`o${index}`]).toEqual([-(request * 100 + index + 1)]);
    }
  });
});

function thirtyInputs(request: number) {
  return Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [`i${index}`, [request * 100 + index + 1]]),
  );
}

interface Answer {
  code?: string;
  outputs: Record<string, unknown>;
}
