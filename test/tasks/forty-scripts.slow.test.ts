import { describe, expect, test } from "vitest";
import { createTextBudget } from "../../functions/tasks/text-budget.ts";
import { openEncoder } from "./encoder.ts";
// The same with the other tokenizers.
import "./forty-scripts.test.ts";
import { assetsOf, optionsFor, recorded } from "./forty-scripts.ts";

const HOSTILE = [
  " ",
  "\n",
  "\r\n ",
  "a",
  "A",
  "Aa",
  "'",
  "1",
  "a\u0301\u0316",
  "\u0301",
  "\u1100",
  "é",
  "不",
  "👨\u200d",
  "\u{10fffd}",
  "\u0001",
  "▁",
  "<mask>",
  "<one>",
  "word",
  " <left>",
  "<right> ",
  " <two> ",
  "\t<two>\u00a0\u3000",
  "</s>  ",
  "<0x41>",
];
const [SHORT, LONG] = [6_000, 48_000];

describe.each(Object.keys(recorded.kinds))("%s", (kind) => {
  test("takes eight times as long for texts of eight times the length, whatever is in them", async () => {
    const assets = await assetsOf(kind);
    for (const part of HOSTILE) {
      const time = (length: number): number => {
        const { encode } = openEncoder(optionsFor(1_000_000), assets, createTextBudget());
        const text = "a" + part.repeat(length / part.length) + "a";
        const times = [1, 2, 3].map(() => {
          const begun = performance.now();
          encode({ text }, "refuse");
          return performance.now() - begun;
        });
        return Math.min(...times);
      };
      time(SHORT);
      // A square would be 64 times as long. A busy machine and a little more than linear stay far below.
      expect([part, Math.min(time(LONG), time(LONG)) / (time(SHORT) + 1) < 32]).toEqual([
        part,
        true,
      ]);
    }
  });
});
