import { invalidInput } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { LongTexts, Parts } from "../define.ts";
import { createTextBudget } from "../text-budget.ts";
import { Effort } from "../text/effort.ts";
import { MOST_EXPANSION } from "../text/inputs.ts";
import type { Encoding, openTokenizer } from "../text/tokenizer.ts";
import type { Given } from "./inputs.ts";

interface PairOptions {
  template: string;
  maxLength: number;
  limits: Limits;
  longTexts: LongTexts;
  sentBytes: number | undefined;
}

/**
 * A pair for each text and each of its labels: the text, and the template with the label. Each text is made into tokens
 * once, however many labels it has, and so is each label. Works in parts. Throws `invalid_input`.
 */
export function* encodePairs(
  tokenizer: ReturnType<typeof openTokenizer>,
  given: readonly Given[],
  { template, maxLength, limits, longTexts, sentBytes }: PairOptions,
): Parts<Encoding[]> {
  const budget = createTextBudget(sentBytes);
  const mostCharacters = limits.textLength * MOST_EXPANSION;
  const options = { longTexts, mostCharacters, budget, effort: new Effort() };
  const known = new Map<string, number[]>();
  const pairs: Encoding[] = [];
  for (const { text, path, labels, labelsPath } of given) {
    const first = yield* naming(path, function* () {
      budget.takeCharacters(text.length);
      return yield* tokenizer.tokensOf(text.toWellFormed(), options);
    });
    for (const [index, label] of labels.entries())
      pairs.push(
        yield* naming(`${labelsPath}[${index}]`, function* () {
          const second = known.get(label) ?? (yield* hypothesis(label));
          const pair = tokenizer.pairOf(first, second, longTexts);
          if (!pair)
            throw new RangeError(
              `must be shorter: ${second.length} tokens, with the template, leave no room for the text`,
            );
          budget.takeTokens(pair.input_ids.length);
          if (longTexts === "refuse" && pair.uncut > maxLength)
            throw new RangeError(
              `must be shorter: with the text it has ${pair.uncut} tokens, of at most ${maxLength}`,
            );
          return pair;
        }),
      );
  }
  return pairs;

  function* hypothesis(label: string): Parts<number[]> {
    budget.takeCharacters(template.length + label.length);
    const made = template.replace("{}", () => label).toWellFormed();
    const ids = yield* tokenizer.tokensOf(made, options);
    known.set(label, ids);
    return ids;
  }
}

/** Says which member of the request a RangeError is about. */
function* naming<T>(path: string, work: () => Parts<T>): Parts<T> {
  try {
    return yield* work();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidInput([{ path, message: error.message }]);
  }
}
