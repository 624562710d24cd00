import { answerNumber } from "../answer-numbers.ts";
import type { JsonSchema, Quantity } from "../define.ts";

/** One number, or with `labels` one number for each label. */
export type Regression = { value: number } | { values: Record<string, number> };

/** The answers of rows, each with as many of the numbers as there are labels. */
export function regressionAnswers(
  labels: readonly string[] | undefined,
  numbers: ArrayLike<number>,
): Regression[] {
  if (!labels) {
    const answers: Regression[] = [];
    for (let row = 0; row < numbers.length; row++) answers.push({ value: numbers[row] as number });
    return answers;
  }
  return Array.from({ length: numbers.length / labels.length }, (_, row) => ({
    values: Object.fromEntries(
      labels.map((label, at) => [label, numbers[row * labels.length + at] ?? NaN]),
    ),
  }));
}

/** What is compared with training. */
export function regressionQuantities(labels: readonly string[] | undefined): Quantity[] {
  if (!labels) return [answerNumber("value", (answer) => (answer as { value: number }).value)];
  return labels.map((label) =>
    answerNumber(label, (answer) => (answer as { values: Record<string, number> }).values[label]),
  );
}

export function regressionSchema(labels: readonly string[] | undefined): JsonSchema {
  const number = { type: "number" };
  if (!labels) return { type: "object", required: ["value"], properties: { value: number } };
  return {
    type: "object",
    required: ["values"],
    properties: {
      values: {
        type: "object",
        required: labels,
        properties: Object.fromEntries(labels.map((label) => [label, number])),
        additionalProperties: false,
      },
    },
  };
}
