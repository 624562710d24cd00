import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect } from "vitest";

const fixtures = join(import.meta.dirname, "../fixtures");

/** An input, and what transformers' pipeline answers. */
export interface RecordedRow {
  inputs: unknown;
  parameters: Record<string, unknown>;
  outputs: unknown;
}

/** The rows that make_tasks.py recorded of an export. */
export async function recordedRows(name: string): Promise<RecordedRow[]> {
  const path = join(fixtures, `hugging-face/tasks/${name}.json.gz`);
  return (JSON.parse(gunzipSync(await readFile(path)).toString()) as { rows: RecordedRow[] }).rows;
}

/** Asks for the rows, those with the same parameters together. */
export async function answersTo(
  rows: readonly RecordedRow[],
  predict: (inputs: unknown[], parameters: Record<string, unknown>) => Promise<unknown>,
): Promise<unknown[]> {
  const answers: unknown[] = [];
  const groups = new Map<string, number[]>();
  for (const [index, { parameters }] of rows.entries()) {
    const key = JSON.stringify(parameters);
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  for (const [key, indexes] of groups) {
    const inputs = indexes.map((index) => rows[index]?.inputs);
    const made = (await predict(
      inputs,
      JSON.parse(key) as object as RecordedRow["parameters"],
    )) as unknown[];
    for (const [at, index] of indexes.entries()) answers[index] = made[at];
  }
  return answers;
}

/** Fails unless all answers are those that were recorded: texts are the same, numbers differ by less than 1e-4. */
export function expectRecorded(answers: readonly unknown[], rows: readonly RecordedRow[]): void {
  expect(answers.length).toBe(rows.length);
  const unlike = rows.flatMap(({ inputs, outputs }, index) =>
    isNear(answers[index], outputs) ? [] : [{ inputs, wanted: outputs, made: answers[index] }],
  );
  expect(unlike).toEqual([]);
}

function isNear(made: unknown, wanted: unknown): boolean {
  if (typeof wanted === "number")
    return Math.abs((made as number) - wanted) < 1e-4 * Math.max(1, Math.abs(wanted));
  if (typeof wanted !== "object" || wanted === null) return made === wanted;
  if (typeof made !== "object" || made === null) return false;
  const entries = Object.entries(wanted);
  return (
    Object.keys(made).length === entries.length &&
    entries.every(([key, value]) => isNear((made as Record<string, unknown>)[key], value))
  );
}

/** Asks for the model's 200 recorded inputs, and compares the answers with those of the library. Gives them. */
export async function expectAllRecorded(
  name: string,
  predict: (
    model: string,
    inputs: unknown,
    parameters: Record<string, unknown>,
  ) => Promise<{ outputs: unknown; status: number }>,
): Promise<unknown[]> {
  const rows = await recordedRows(name);
  expect(rows.length).toBe(200);
  const answers = await answersTo(rows, async (inputs, parameters) => {
    const { outputs, status } = await predict(name, inputs, parameters);
    expect(status).toBe(200);
    return outputs;
  });
  expectRecorded(answers, rows);
  return answers;
}
