import type { Quantity } from "./define.ts";

/** A number of each answer, to be compared with training. */
export function answerNumber(
  name: string,
  read: (answer: unknown) => number | undefined,
): Quantity {
  return {
    name: `prediction.${name}`,
    of: "prediction",
    kind: "number",
    each({ answers = [] }, take) {
      for (const answer of answers) take(read(answer));
    },
  };
}
