import type { Assets, LongTexts, Parts } from "../../functions/tasks/define.ts";
import { createTextBudget } from "../../functions/tasks/text-budget.ts";
import { Effort } from "../../functions/tasks/text/effort.ts";
import type { TextOptions } from "../../functions/tasks/text/options.ts";
import { openTokenizer, type TextInput } from "../../functions/tasks/text/tokenizer.ts";

/** A tokenizer that does its work at once. */
export function openEncoder(options: TextOptions, assets: Assets, budget = createTextBudget()) {
  const tokenizer = openTokenizer(options, assets);
  return {
    padding: tokenizer.padding,
    encode: (input: TextInput, longTexts: LongTexts = "cut") =>
      atOnce(
        tokenizer.encode(input, {
          longTexts,
          mostCharacters: 4_000_000,
          budget,
          effort: new Effort(),
        }),
      ),
  };
}

/** What work in parts gives in the end. */
export function atOnce<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}
