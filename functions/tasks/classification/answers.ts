import type { Tensors } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import type { CompiledTask, Quantity } from "../define.ts";
import {
  hasIndependentLabels,
  isOneSided,
  type ClassificationManifest,
  type Parameters,
} from "./options.ts";
import type { Classification } from "./classification.ts";
import { classificationQuantities } from "./quantities.ts";
import { rank } from "./rank.ts";
import { labelReader } from "./read-label.ts";
import { scoresReader } from "./read-scores.ts";

/** The part that all classification tasks share: turns the graph's outputs into labels and scores. */
export function classificationAnswers(manifest: ClassificationManifest): Pick<
  CompiledTask<Parameters>,
  "outputNames" | "answerBytes" | "postprocess"
> & {
  quantities: readonly Quantity[];
} {
  const { labels, label, scores } = manifest;
  if (!labels) throw new Error(`task ${manifest.task} needs labels`);
  if (!label && !scores) throw new Error(`task ${manifest.task} needs scores, label or both`);
  const readLabels = label && labelReader(manifest, label);
  const readScores = scores && scoresReader(manifest, scores);
  const oneSided = isOneSided(manifest);
  const scored = oneSided ? labels.slice(1) : labels;
  const member = scores?.kind === "decision-values" ? "decision_values" : "scores";

  const again: number[] = [];
  const nameOf = (index: number): string => labels[index] ?? "";

  function named(values: ArrayLike<number>, places: readonly number[], topK = scored.length) {
    const byLabel: Record<string, number> = {};
    const most = Math.min(topK, places.length);
    for (let at = 0; at < most; at++) {
      const place = places[at] as number;
      put(byLabel, scored[place] as string, values[place] ?? 0);
    }
    return byLabel;
  }

  function answer(
    given: readonly number[] | undefined,
    values: ArrayLike<number> | undefined,
    topK: number | undefined,
  ): Classification {
    const there = given && independent && { labels: given.map(nameOf) };
    if (!values) return there ? there : { label: nameOf(given?.[0] ?? 0) };
    const places = rank(values, scored.length, again);
    const byLabel = named(values, places, topK);
    const best = oneSided ? Number((values[0] ?? 0) > 0) : (places[0] ?? 0);
    const index = independent ? best : (given?.[0] ?? best);
    const label = nameOf(index);
    if (there)
      return {
        label,
        ...there,
        ...(member === "scores" && { score: values[index] ?? 0 }),
        [member]: byLabel,
      };
    return member === "scores"
      ? { label, score: values[index] ?? 0, scores: byLabel }
      : { label, decision_values: byLabel };
  }

  const independent = hasIndependentLabels(manifest);
  // Assumes the longest labels: every row may answer with them.
  const labelBytes = labels
    .map((name) => JSON.stringify(name).length + 2)
    .toSorted((a, b) => b - a);
  const ownBytes = 2 * NUMBER_BYTES + sum(independent ? labelBytes : labelBytes.slice(0, 1));
  return {
    answerBytes({ rows }, { top_k: topK = scored.length }) {
      const named = scores ? labelBytes.slice(0, topK) : [];
      return rows * (ownBytes + sum(named) + named.length * NUMBER_BYTES);
    },
    quantities: classificationQuantities(manifest),
    outputNames: [...new Set([label?.output, scores?.output].filter((name) => name !== undefined))],
    postprocess(outputs: Tensors, { rows }, { top_k: topK }) {
      const given = readLabels?.(outputs, rows);
      const values = readScores?.(outputs, rows);
      const answers: Classification[] = [];
      for (let row = 0; row < rows; row++) answers.push(answer(given?.[row], values?.(row), topK));
      return answers;
    },
  };
}

/** Takes half the time of `Object.fromEntries`. An assignment to `__proto__` would set no member. */
function put(object: Record<string, number>, name: string, value: number): void {
  if (name !== "__proto__") object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
