import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { differenceFrom } from "../../cli/add/check-example.ts";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { root } from "./nearcast.ts";

interface Recorded {
  name: string;
  inputs: unknown[];
  /** What PyTorch, transformers' pipeline or Keras answered. */
  answers: unknown[];
}

const folder = join(root, "test/fixtures/conversions");
const cases = ["networks.json", "keras.json"].flatMap((name) => {
  const recorded: unknown = JSON.parse(readFileSync(join(folder, name), "utf8"));
  return (recorded as { cases: Recorded[] }).cases;
});

describe.each(cases)("$name", ({ name, inputs, answers }) => {
  test.each(["native", "wasm"] as const)(
    "what convert made answers on %s as the network did",
    async (runtime) => {
      const predictor = await openPredictor(
        await openPackage(join(folder, "models"), { name }),
        runtime,
      );
      for (const [index, input] of inputs.entries())
        expect(
          await differenceFrom(answers[index], await predictor.predict(input)),
        ).toBeUndefined();
    },
  );
});
