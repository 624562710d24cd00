import type { Quality } from "../define.ts";

/**
 * How numbers are judged. With labels, a truth is an object of numbers by label, or its JSON, and each metric is the mean
 * over the labels.
 */
export function regressionQuality(labels?: readonly string[]): Quality {
  const lessIsBetter = ["mae", "rmse"];
  if (!labels)
    return {
      lessIsBetter,
      problemWith: (truth) => (isNumber(truth) ? undefined : "the label is not a number"),
      metrics: (truths, answers) =>
        regressionMetrics(
          truths.map(Number),
          (answers as { value: number }[]).map(({ value }) => value),
        ),
    };
  return {
    lessIsBetter,
    problemWith: (truth) => {
      const values = valuesOf(truth);
      const lacking = labels.find((label) => !isNumber(values?.[label]));
      return lacking === undefined ? undefined : `the label has no number ${lacking}`;
    },
    metrics(truths, answers) {
      const found = answers as { values: Record<string, number> }[];
      const each = labels.map((label) =>
        regressionMetrics(
          truths.map((truth) => Number(valuesOf(truth)?.[label])),
          found.map(({ values }) => values[label] ?? NaN),
        ),
      );
      const names = Object.keys(each[0] ?? {}).filter((name) => each.every((one) => name in one));
      return Object.fromEntries(
        names.map((name) => [name, mean(each.map((one) => one[name] ?? NaN))]),
      );
    },
  };
}

// In CSV a number is text.
const isNumber = (value: unknown) =>
  (typeof value === "number" || typeof value === "string") &&
  Number.isFinite(Number(value)) &&
  String(value).trim() !== "";

function valuesOf(truth: unknown): Record<string, unknown> | undefined {
  try {
    const value: unknown = typeof truth === "string" ? JSON.parse(truth) : truth;
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

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
