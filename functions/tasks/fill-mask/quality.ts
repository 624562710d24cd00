import type { Quality } from "../define.ts";
import type { Filled } from "./fill.ts";

/** How often the right token is the likeliest, and how high it stands. A label in the data is the token's text. */
export function filledQuality(k: number): Quality {
  return {
    parameters: { top_k: k },
    problemWith: (truth) =>
      typeof truth === "string" && truth !== "" ? undefined : "must be the right token's text",
    metrics(truths, answers) {
      let [first, reciprocals] = [0, 0];
      for (const [row, truth] of truths.entries()) {
        const place = (answers[row] as Filled[]).findIndex(
          ({ token_str: text }) => text?.trim() === (truth as string).trim(),
        );
        first += Number(place === 0);
        if (place >= 0) reciprocals += 1 / (place + 1);
      }
      return { accuracy: first / truths.length, [`mrr_at_${k}`]: reciprocals / truths.length };
    },
  };
}
