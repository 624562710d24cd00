import type { Quality } from "../define.ts";
import type { Anomaly } from "./compile.ts";

const YES = new Set(["true", "1"]);
const NO = new Set(["false", "0"]);

/** How well answers find the rows that are unusual. A label is true or false, or 1 or 0. */
export function anomalyQuality(side: "below" | "above"): Quality {
  return {
    problemWith: (truth) =>
      isYes(truth) || NO.has(String(truth).toLowerCase())
        ? undefined
        : "the label is neither true nor false",
    metrics(truths, answers) {
      const found = answers as Anomaly[];
      const rows = truths.map((truth, at) => ({
        isUnusual: isYes(truth),
        isFound: found[at]?.anomaly ?? false,
        strength: (found[at]?.score ?? 0) * (side === "below" ? -1 : 1),
      }));
      const count = (wanted: (row: (typeof rows)[number]) => boolean) => rows.filter(wanted).length;
      const unusual = count(({ isUnusual }) => isUnusual);
      const right = count(({ isUnusual, isFound }) => isUnusual && isFound);
      const said = count(({ isFound }) => isFound);
      return {
        ...(unusual > 0 && { average_precision: averagePrecision(rows, unusual) }),
        ...(unusual > 0 && unusual < rows.length && { roc_auc: areaUnderRoc(rows, unusual) }),
        precision: said === 0 ? 0 : right / said,
        recall: unusual === 0 ? 0 : right / unusual,
      };
    },
  };
}

const isYes = (truth: unknown) => YES.has(String(truth).toLowerCase());

/** As scikit-learn's `average_precision_score`: rows of the same strength count together. */
function averagePrecision(
  rows: readonly { isUnusual: boolean; strength: number }[],
  unusual: number,
): number {
  const sorted = rows.toSorted((one, other) => other.strength - one.strength);
  let [sum, right, recall] = [0, 0, 0];
  for (const [at, { isUnusual, strength }] of sorted.entries()) {
    if (isUnusual) right += 1;
    if (sorted[at + 1]?.strength === strength) continue;
    sum += (right / unusual - recall) * (right / (at + 1));
    recall = right / unusual;
  }
  return sum;
}

/** As scikit-learn's `roc_auc_score`: how often an unusual row is stronger than a usual one. The same counts half. */
function areaUnderRoc(
  rows: readonly { isUnusual: boolean; strength: number }[],
  unusual: number,
): number {
  const sorted = rows.toSorted((one, other) => one.strength - other.strength);
  let [weaker, wins] = [0, 0];
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    let [usual, stronger] = [0, 0];
    for (; sorted[to]?.strength === sorted[from]?.strength; to += 1)
      if (sorted[to]?.isUnusual) stronger += 1;
      else usual += 1;
    wins += stronger * (weaker + usual / 2);
    weaker += usual;
  }
  return wins / (unusual * (rows.length - unusual));
}
