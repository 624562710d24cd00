import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { expect } from "vitest";
import { addCommand } from "../../cli/commands/add.ts";
import { FIXTURES } from "./library-models.ts";

/** A trained model, and what scikit-learn answers to the rows (test/fixtures/tables/several.py). */
export interface SeveralCase {
  name: string;
  told: { task?: string; labels?: string[]; scores?: string };
  /** When absent, those of all others. */
  features?: string[];
  rows: number[][];
  predict: (number | string)[] | number[][];
  decision_function?: number[];
  /** Of a classifier, with its labels. */
  predict_proba?: number[][];
  labels?: string[];
  metrics?: Record<string, number>;
  truth?: number[][];
}

const recorded = JSON.parse(await readFile(join(FIXTURES, "several.json"), "utf8")) as {
  features: string[];
  cases: SeveralCase[];
};
export const CASES = recorded.cases;

/** Adds the model as the command does, by its own name or another. Rejects as the command fails. */
export async function add(
  { name, told, features: own = recorded.features }: SeveralCase,
  models: string,
  as: string = name,
): Promise<void> {
  const program = new Command().exitOverride();
  addCommand(program);
  const path = join(FIXTURES, `${name}.onnx`);
  const features = own.join(",");
  const more = [
    ...(told.task ? ["--task", told.task] : []),
    ...(told.labels ? ["--labels", told.labels.join(",")] : []),
    ...(told.scores ? ["--scores", told.scores] : []),
  ];
  const given = [path, "--name", as, "--models", models, "--features", features, ...more];
  await program.parseAsync(["add", ...given], { from: "user" });
}

/** A number that differs by less than 1e-4. */
export function near(value: number | undefined): number {
  const given = value ?? NaN;
  return expect.toSatisfy(
    (made: number) => Math.abs(made - given) < 1e-4 * Math.max(1, Math.abs(given)),
  ) as number;
}

/** What the answer to a row must be, with the members of its task. */
export function expected(one: SeveralCase, row: number) {
  const { told, predict, decision_function: scores } = one;
  const predicted = predict[row];
  if (one.predict_proba) return expectedLabel(one, row);
  if (scores) return { anomaly: predicted === -1, score: near(scores[row]) };
  if (told.scores) return { label: String(predicted) };
  if (!told.labels) return { value: near(predicted as number) };
  const values = told.labels.map((label, at) => [label, near((predicted as number[])[at])]);
  return { values: Object.fromEntries(values) };
}

function expectedLabel({ predict, predict_proba = [], labels = [] }: SeveralCase, row: number) {
  const predicted = predict[row];
  const scores = predict_proba[row] ?? [];
  const best = scores.indexOf(Math.max(...scores));
  const there = Array.isArray(predicted) && {
    labels: labels.filter((_, at) => predicted[at] === 1),
  };
  const label = there ? labels[best] : String(predicted);
  const score = near(there ? scores[best] : scores[labels.indexOf(label ?? "")]);
  const named = labels.map((name, at) => [name, near(scores[at])]);
  return { label, ...there, score, scores: Object.fromEntries(named) as object };
}
