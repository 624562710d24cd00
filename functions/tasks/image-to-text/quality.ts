import type { Quality } from "../define.ts";
import type { ReadText } from "./reader.ts";

/**
 * The character error rate as torchmetrics' `CharErrorRate` has it: all edits that make the answers right, for each
 * character of the true texts. And how often the whole text is right.
 */
export function recognitionQuality(): Quality {
  return {
    problemWith: (truth) =>
      typeof truth === "string" ? undefined : "must be the text of the picture",
    metrics(truths, answers) {
      let [edits, length, right] = [0, 0, 0];
      for (const [row, truth] of truths.entries()) {
        const { generated_text: text } = answers[row] as ReadText;
        const [wanted, made] = [Array.from(truth as string), Array.from(text)];
        edits += editsBetween(wanted, made);
        length += wanted.length;
        right += Number(truth === text);
      }
      if (length === 0) throw new Error("The data has no character, so there is nothing to read.");
      return { character_error_rate: edits / length, exact_match: right / truths.length };
    },
    lessIsBetter: ["character_error_rate"],
  };
}

/** The fewest characters to insert, remove or replace (Levenshtein). */
function editsBetween(one: readonly string[], other: readonly string[]): number {
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (const [row, character] of one.entries()) {
    const below = [row + 1];
    for (const [column, candidate] of other.entries())
      below.push(
        Math.min(
          above[column]! + Number(character !== candidate),
          above[column + 1]! + 1,
          below[column]! + 1,
        ),
      );
    above = below;
  }
  return above.at(-1)!;
}
