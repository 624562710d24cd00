import type { Manifest } from "../../model/manifest.ts";
import type { Quantity } from "../../tasks/define.ts";
import { FEWEST_SHOWN } from "../fewest-shown.ts";

/** What a prediction says, and what really happened: the same kind of value. */
export type Outcome = string | number;

/** How the predictions of a version are compared with outcomes. Undefined where its task predicts neither a label nor a number. */
export function outcomeOf(quantities: readonly Quantity[] = []): Quantity | undefined {
  return (
    quantities.find(({ name }) => name === "prediction.label") ??
    quantities.find(({ name }) => name === "prediction.value")
  );
}

/** What an outcome cannot be, in words. Undefined when it is right. */
export function problemWith(
  { kind }: Quantity,
  { labels = [] }: Manifest,
  outcome: unknown,
): string | undefined {
  if (kind === "number")
    return typeof outcome === "number" && Number.isFinite(outcome) ? undefined : "must be a number";
  return labels.includes(outcome as string) ? undefined : "must be one of the model's labels";
}

/** Labels beyond these count for the accuracy, but have no F1. */
const MOST_LABELS = 100;

/** What one prediction and its outcome add. Sums of these are exact over instances. */
export function addOutcome(
  fields: Map<string, number>,
  labels: readonly string[] | undefined,
  predicted: Outcome | null,
  actual: Outcome,
): void {
  const add = (field: string, value: number) => fields.set(field, (fields.get(field) ?? 0) + value);
  add("count", 1);
  if (typeof actual === "number") {
    const error = Number(predicted) - actual;
    add("absolute", Math.abs(error));
    add("squared", error ** 2);
    return;
  }
  if (predicted === actual) add("hits", 1);
  const known = (labels ?? []).slice(0, MOST_LABELS);
  const [guess, truth] = [known.indexOf(String(predicted)), known.indexOf(actual)];
  if (guess >= 0) add(`guessed.${guess}`, 1);
  if (truth >= 0) add(`true.${truth}`, 1);
  if (guess >= 0 && guess === truth) add(`hit.${guess}`, 1);
}

/** How right the predictions of a version were. */
export interface Accuracy {
  /** How many predictions have an outcome. */
  count: number;
  accuracy?: number;
  /** The mean over the labels. Absent for more than a hundred labels. */
  f1_macro?: number;
  mae?: number;
  rmse?: number;
  /** Before the outcomes are known: what calibrated scores say the accuracy should be. */
  estimated_accuracy?: number;
  /** How many predictions the estimate is made of. */
  estimated_from?: number;
}

/** The measures, from the sums. */
export function accuracyOf(
  sums: ReadonlyMap<string, number>,
  { labels }: Pick<Manifest, "labels">,
): Accuracy {
  const sum = (field: string) => sums.get(field) ?? 0;
  const count = sum("count");
  const scored = sum("scored");
  const estimate = scored >= FEWEST_SHOWN && {
    estimated_accuracy: sum("score") / scored,
    estimated_from: scored,
  };
  if (count < FEWEST_SHOWN) return { count, ...estimate };
  if (sums.has("absolute"))
    return { count, mae: sum("absolute") / count, rmse: Math.sqrt(sum("squared") / count) };
  const f1 = (labels ?? []).flatMap((_, index) => {
    const all = sum(`guessed.${index}`) + sum(`true.${index}`);
    return all > 0 ? [(2 * sum(`hit.${index}`)) / all] : [];
  });
  const isWhole = labels !== undefined && labels.length <= MOST_LABELS;
  return {
    count,
    accuracy: sum("hits") / count,
    ...(isWhole && { f1_macro: f1.reduce((total, one) => total + one, 0) / f1.length }),
    ...estimate,
  };
}
