import type { Quality } from "../define.ts";
import type { Answer } from "./spans.ts";

/**
 * Exact matches, and the F1 of words, as SQuAD counts them: without punctuation, articles and case. A label in the data
 * is the right answer, or an array of right ones; an empty text where there is none.
 */
export function answerQuality(): Quality {
  return {
    problemWith: (truth) =>
      rightOnes(truth).length > 0 && rightOnes(truth).every((one) => typeof one === "string")
        ? undefined
        : "must be the right answer, or an array of right ones",
    metrics(truths, answers) {
      let [overlaps, exact] = [0, 0];
      for (const [row, truth] of truths.entries()) {
        const made = wordsOf((answers[row] as Answer[])[0]?.answer ?? "");
        const right = rightOnes(truth).map((one) => wordsOf(one as string));
        overlaps += Math.max(...right.map((words) => overlap(made, words)));
        exact += Number(right.some((words) => words.join(" ") === made.join(" ")));
      }
      return { f1: overlaps / truths.length, exact_match: exact / truths.length };
    },
  };
}

function rightOnes(truth: unknown): unknown[] {
  return [truth].flat();
}

function wordsOf(text: string): string[] {
  const plain = text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, "");
  return plain
    .replace(/\b(?:a|an|the)\b/g, " ")
    .split(/\s+/)
    .filter(Boolean);
}

/** F1 of the words that both have. */
function overlap(made: readonly string[], right: readonly string[]): number {
  if (made.length === 0 || right.length === 0) return Number(made.length === right.length);
  const left = new Map<string, number>();
  for (const word of right) left.set(word, (left.get(word) ?? 0) + 1);
  let same = 0;
  for (const word of made) {
    const count = left.get(word) ?? 0;
    if (count > 0) same += 1;
    left.set(word, count - 1);
  }
  return (2 * same) / (made.length + right.length);
}
