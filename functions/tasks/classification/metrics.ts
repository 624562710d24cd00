/** Counts by true label (row) and predicted label (column), both in the order of `labels`. */
export interface Confusion {
  labels: string[];
  counts: number[][];
}

export function confusionOf(truth: readonly string[], predicted: readonly string[]): Confusion {
  const labels = [...new Set([...truth, ...predicted])].toSorted();
  const counts = labels.map(() => labels.map(() => 0));
  truth.forEach((label, index) => {
    const row = counts[labels.indexOf(label)] as number[];
    const column = labels.indexOf(predicted[index] as string);
    row[column] = (row[column] ?? 0) + 1;
  });
  return { labels, counts };
}

/** Accuracy, and the means over the labels of precision, recall and F1; 0 where nothing was predicted. */
export function classificationMetrics({ labels, counts }: Confusion): Record<string, number> {
  const hits = labels.map((_, index) => counts[index]?.[index] ?? 0);
  const actual = counts.map(sum);
  const predicted = labels.map((_, column) => sum(counts.map((row) => row[column] ?? 0)));
  const macro = (of: (index: number) => number): number =>
    mean(labels.map((_, index) => of(index)));
  return {
    accuracy: sum(hits) / sum(actual),
    precision_macro: macro((index) => ratio(at(hits, index), at(predicted, index))),
    recall_macro: macro((index) => ratio(at(hits, index), at(actual, index))),
    f1_macro: macro((index) =>
      ratio(2 * at(hits, index), at(predicted, index) + at(actual, index)),
    ),
  };
}

/**
 * Area under the ROC curve. With two labels, that of the second label. With more, the mean over all labels of each
 * against the rest. Undefined when the data lacks a label or has only one.
 */
export function rocAuc(
  labels: readonly string[],
  truth: readonly string[],
  scores: readonly Record<string, number>[],
): number | undefined {
  const judged = labels.length === 2 ? labels.slice(1) : labels;
  let areas = 0;
  for (const label of judged) {
    const area = areaOf(
      truth.map((one) => one === label),
      scores.map((one) => one[label] ?? 0),
    );
    if (area === undefined) return undefined;
    areas += area;
  }
  return areas / judged.length;
}

/** The share of pairs of a positive and a negative whose scores are in the right order. A tie counts half. */
function areaOf(positive: readonly boolean[], scores: readonly number[]): number | undefined {
  const positives = positive.filter(Boolean).length;
  const negatives = positive.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  const score = (index: number): number => scores[index] ?? 0;
  const order = positive.map((_, index) => index).sort((a, b) => score(a) - score(b));
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && score(order[end] ?? 0) === score(order[start] ?? 0)) end++;
    const rank = (start + 1 + end) / 2;
    rankSum += rank * order.slice(start, end).filter((index) => positive[index]).length;
    start = end;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, one) => total + one, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
