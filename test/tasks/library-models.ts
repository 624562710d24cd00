import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { expect } from "vitest";
import { addCommand } from "../../cli/commands/add.ts";

export const FIXTURES = join(import.meta.dirname, "../fixtures/tables");

/** A trained model, and what its library answers to the rows (test/fixtures/tables/make.py). */
export interface LibraryCase {
  name: string;
  about: string;
  /** Absent for a model of texts. */
  features?: string[];
  labels?: string[];
  /** The labels are independent: `predict` has 0 or 1 for each. */
  independent?: true;
  rows: unknown[];
  /** What `add` needs to be told, and the option that it asks for without. */
  add?: string[];
  asks?: string;
  /** A part of the refusal. */
  refused?: string;
  predict: (string | number)[] | number[][];
  predict_proba?: number[][];
  decision_function?: number[] | number[][];
}

const recorded = JSON.parse(await readFile(join(FIXTURES, "recorded.json"), "utf8")) as {
  cases: LibraryCase[];
};
export const CASES = recorded.cases;
export const ANSWERED = CASES.filter(({ refused }) => refused === undefined);

/** Adds the model as the command does. Rejects as the command fails. */
export async function add(
  { name, features, add: told = [] }: LibraryCase,
  models: string,
  more: readonly string[] = told,
): Promise<void> {
  const program = new Command().exitOverride();
  addCommand(program);
  const columns = features ? ["--features", features.join(",")] : [];
  const path = join(FIXTURES, `${name}.onnx`);
  await program.parseAsync(["add", path, "--name", name, "--models", models, ...columns, ...more], {
    from: "user",
  });
}

/** Compares the answers of a service with the library's. */
export function expectLibraryAnswers(one: LibraryCase, answers: unknown): void {
  expect(answers).toHaveLength(one.rows.length);
  for (const [row, answer] of (answers as Record<string, unknown>[]).entries()) {
    const expected = expectedAnswer(one, row);
    expect(Object.keys(answer).toSorted()).toEqual(Object.keys(expected).toSorted());
    for (const [member, value] of Object.entries(expected)) compare(answer[member], value);
  }
}

function expectedAnswer(one: LibraryCase, row: number): Record<string, unknown> {
  const { labels, independent, predict, predict_proba, decision_function } = one;
  const predicted = predict[row];
  if (!labels) return { value: predicted };
  const scoresFlag = one.add?.[one.add.indexOf("--scores") + 1];
  const probabilities = predict_proba?.[row];
  if (independent && probabilities) {
    const there = labels.filter((_, index) => (predicted as number[])[index] === 1);
    const best = Math.max(...probabilities);
    const scores = byLabel(labels, probabilities);
    return { label: labels[probabilities.indexOf(best)], labels: there, score: best, scores };
  }
  if (scoresFlag === "none") return { label: predicted };
  if (probabilities)
    return {
      label: predicted,
      score: probabilities[labels.indexOf(String(predicted))],
      scores: byLabel(labels, probabilities),
    };
  const decision = decision_function?.[row] ?? [];
  return {
    label: predicted,
    decision_values:
      typeof decision === "number"
        ? byLabel(labels.slice(1), [decision])
        : byLabel(labels, decision),
  };
}

function byLabel(labels: readonly string[], values: readonly number[]): Record<string, number> {
  return Object.fromEntries(labels.map((label, index) => [label, values[index] ?? NaN]));
}

/** Graphs compute with float32, libraries mostly with float64. */
const TOLERANCE = 1e-3;

function compare(actual: unknown, expected: unknown): void {
  if (typeof expected === "number") {
    const allowed = TOLERANCE * Math.max(1, Math.abs(expected));
    expect(Math.abs((actual as number) - expected)).toBeLessThan(allowed);
  } else if (typeof expected === "object" && expected !== null && !Array.isArray(expected)) {
    expect(Object.keys(actual as object).toSorted()).toEqual(Object.keys(expected).toSorted());
    for (const [key, value] of Object.entries(expected))
      compare((actual as Record<string, unknown>)[key], value);
  } else expect(actual).toEqual(expected);
}
