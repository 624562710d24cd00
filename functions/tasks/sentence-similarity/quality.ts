import type { Quality } from "../define.ts";

/**
 * How well the order of the scores is that of the labels. A label in the data is a number for each of the sentences, or
 * one number for one sentence.
 */
export const similarityQuality: Quality = {
  problemWith: (truth) =>
    numbersOf(truth).every(Number.isFinite) && numbersOf(truth).length > 0
      ? undefined
      : "must be a number for each sentence",
  metrics(truths, answers) {
    const wrong = truths.findIndex(
      (truth, row) => numbersOf(truth).length !== (answers[row] as number[]).length,
    );
    if (wrong >= 0)
      throw new Error(
        `The label number ${wrong + 1} has ${numbersOf(truths[wrong]).length} numbers for ${(answers[wrong] as number[]).length} sentences.`,
      );
    const right = truths.flatMap(numbersOf);
    const made = (answers as number[][]).flat();
    if (isOne(right) || isOne(made))
      throw new Error(
        `All ${isOne(right) ? "labels" : "answers"} are the same number, so there is no correlation.`,
      );
    return {
      spearman: correlation(ranks(right), ranks(made)),
      pearson: correlation(right, made),
    };
  },
};

function isOne(values: readonly number[]): boolean {
  return values.every((value) => value === values[0]);
}

function numbersOf(truth: unknown): number[] {
  return [truth].flat() as number[];
}

/** The places of numbers among all, from the least one. Equal numbers share the middle of their places. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, at) => at).toSorted((a, b) => values[a]! - values[b]!);
  const places: number[] = [];
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let at = from; at < to; at++) places[order[at]!] = (from + to - 1) / 2;
  }
  return places;
}

function correlation(one: readonly number[], other: readonly number[]): number {
  const [first, second] = [mean(one), mean(other)];
  let [both, ones, others] = [0, 0, 0];
  for (let at = 0; at < one.length; at++) {
    const [a, b] = [one[at]! - first, other[at]! - second];
    both += a * b;
    ones += a * a;
    others += b * b;
  }
  return both / Math.sqrt(ones * others);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
