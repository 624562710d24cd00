import { invalidInput } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { Parts } from "../define.ts";
import { createTextBudget } from "../text-budget.ts";
import { Effort } from "../text/effort.ts";
import { MOST_EXPANSION } from "../text/inputs.ts";
import type { CutEncoding, openTokenizer } from "../text/tokenizer.ts";
import type { Given } from "./inputs.ts";

interface SentenceOptions {
  template: string;
  maxLength: number;
  /** How many tokens each sentence is padded to, where the graph has a fixed number. */
  padded: number;
  limits: Limits;
  sentBytes: number | undefined;
}

/**
 * The tokens of each label's sentence, by label. A label is made into tokens once, however many pictures have it. None is
 * cut: of two long ones, the same would be left. Works in parts. Throws `invalid_input`.
 */
export function* encodeSentences(
  tokenizer: ReturnType<typeof openTokenizer>,
  given: readonly Given[],
  { template, maxLength, padded, limits, sentBytes }: SentenceOptions,
): Parts<Map<string, CutEncoding>> {
  const budget = createTextBudget(sentBytes);
  const mostCharacters = limits.textLength * MOST_EXPANSION;
  const options = { longTexts: "refuse" as const, mostCharacters, budget, effort: new Effort() };
  const known = new Map<string, CutEncoding>();
  for (const { labels, labelsPath } of new Map(given.map((one) => [one.labels, one])).values())
    for (const [index, label] of labels.entries()) {
      if (known.has(label)) continue;
      try {
        budget.takeCharacters(template.length + label.length);
        const text = template.replace("{}", () => label).toWellFormed();
        const encoding = yield* tokenizer.encode({ text }, options);
        if (encoding.uncut > maxLength)
          throw new RangeError(
            `must be shorter: with the template it has ${encoding.uncut} tokens, of at most ${maxLength}`,
          );
        budget.takeTokens(Math.max(encoding.input_ids.length, padded));
        known.set(label, encoding);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw invalidInput([{ path: `${labelsPath}[${index}]`, message: error.message }]);
      }
    }
  return known;
}
