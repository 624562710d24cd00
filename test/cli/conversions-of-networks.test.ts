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
  /** What PyTorch or transformers' pipeline answered. */
  answers: unknown[];
}

const folder = join(root, "test/fixtures/conversions");
const { cases } = JSON.parse(readFileSync(join(folder, "networks.json"), "utf8")) as {
  cases: Recorded[];
};

describe.each(cases)("$name", ({ name, inputs, answers }) => {
  test.each(["native", "wasm"] as const)(
    "what convert made answers on %s as the network did",
    async (runtime) => {
      const predictor = await openPredictor(
        await openPackage(join(folder, "models"), { name }),
        runtime,
      );
      for (const [index, input] of inputs.entries())
        expect(differenceFrom(answers[index], await predictor.predict(input))).toBeUndefined();
    },
  );
});
