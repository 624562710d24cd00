import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openPackage } from "../../cli/package-folder.ts";
import { openPredictor } from "../../cli/predictor.ts";
import { root } from "./nearcast.ts";

interface Recorded {
  name: string;
  features: string[];
  labels: string[] | null;
  rows: unknown[];
  /** What the library predicted for each row. */
  predict: (string | number)[];
  /** Its probabilities, or its decision values. */
  scores: (number | number[])[] | null;
}

const folder = join(root, "test/fixtures/conversions");
const { cases } = JSON.parse(readFileSync(join(folder, "recorded.json"), "utf8")) as {
  cases: Recorded[];
};

describe.each(cases.map((one) => [one.name, one] as const))("%s", (name, recorded) => {
  test.each(["native", "wasm"] as const)(
    "what convert made answers on %s as the library did",
    async (runtime) => {
      const local = await openPackage(join(folder, "models"), { name });
      const predictor = await openPredictor(local, runtime);
      const answers = (await predictor.predict(recorded.rows)) as Answer[];
      for (const [row, answer] of answers.entries()) expectAlike(answer, recorded, row);
    },
  );
});

interface Answer {
  label?: string;
  value?: number;
  scores?: Record<string, number>;
  decision_values?: Record<string, number>;
}

function expectAlike(answer: Answer, { labels, predict, scores }: Recorded, row: number): void {
  if (!labels) {
    expect(answer.value).toBeCloseTo(Number(predict[row]), 3);
    return;
  }
  expect(answer.label).toBe(String(predict[row]));
  const expected = [scores?.[row] ?? []].flat();
  const given = answer.scores ?? answer.decision_values ?? {};
  for (const [index, number] of expected.entries())
    expect(given[labels[index] as string]).toBeCloseTo(number, 4);
  expect(Object.keys(given)).toHaveLength(expected.length);
}
