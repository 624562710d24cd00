import type { Quality } from "../define.ts";

/** How answers with one `value` are judged. */
export const regressionQuality: Quality = {
  // In CSV a number is text.
  problemWith: (truth) =>
    Number.isFinite(Number(truth)) && String(truth).trim() !== ""
      ? undefined
      : "the label is not a number",
  metrics: (truths, answers) =>
    regressionMetrics(
      truths.map(Number),
      (answers as { value: number }[]).map(({ value }) => value),
    ),
  lessIsBetter: ["mae", "rmse"],
};

/** Mean absolute error, root of the mean squared error, and R² (absent when all truths are equal). */
function regressionMetrics(
  truth: readonly number[],
  predicted: readonly number[],
): Record<string, number> {
  const errors = truth.map((value, index) => value - (predicted[index] ?? 0));
  const squared = mean(errors.map((error) => error ** 2));
  const center = mean(truth);
  const variance = mean(truth.map((value) => (value - center) ** 2));
  return {
    ...(variance > 0 && { r2: 1 - squared / variance }),
    mae: mean(errors.map(Math.abs)),
    rmse: Math.sqrt(squared),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((total, one) => total + one, 0) / values.length;
}
