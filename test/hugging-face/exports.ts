import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Json } from "./export-folder.ts";

type Input = string | { text: string; text_pair: string };

/** An export, and what transformers and sentence-transformers make of it. */
export interface Recorded {
  name: string;
  about: string;
  task: string;
  inputs: Input[];
  ids: number[][];
  types?: number[][];
  /** Vectors, scores by label, or numbers. */
  answers: (number | number[] | Record<string, number>)[];
  /** Vectors of the first inputs by the name of a prompt. */
  prompted?: Record<string, number[][]>;
}

/** Another export with other members in its files, and what the refusal says. */
export interface Refused {
  name: string;
  about: string;
  from: string;
  change: Record<string, Json | unknown[]>;
  refused: string;
}

const fixtures = join(import.meta.dirname, "../fixtures/hugging-face");
const { cases } = JSON.parse(await readFile(join(fixtures, "recorded.json"), "utf8")) as {
  cases: (Recorded | Refused)[];
};
export const recorded = cases.filter((one): one is Recorded => !("refused" in one));
export const refused = cases.filter((one): one is Refused => "refused" in one);

/** A recorded answer in the shape of the service's. */
function shaped({ task }: Recorded, answer: Recorded["answers"][number]): unknown {
  if (typeof answer === "number") return { value: answer };
  if (Array.isArray(answer)) return answer;
  if (task === "text-classification") return answer;
  const values = Object.values(answer);
  return values.length === 1 ? { value: values[0] } : { values: answer };
}

/** Fails unless the service's answers are those that were recorded. */
export function expectAnswers(export_: Recorded, outputs: unknown): void {
  const given = outputs as { scores?: Record<string, number>; label?: string }[];
  expect(given.length).toBe(export_.answers.length);
  for (const [index, answer] of export_.answers.entries()) {
    const wanted = shaped(export_, answer);
    const made = export_.task === "text-classification" ? given[index]?.scores : given[index];
    expectNear(made, wanted, `${export_.name}, input ${index}`);
    if (export_.task === "text-classification")
      expect(given[index]?.label).toBe(
        Object.entries(answer).toSorted(([, a], [, b]) => b - a)[0]?.[0],
      );
  }
}

/** Numbers within 1e-4 of the wanted ones, in objects and arrays of the same members. */
export function expectNear(made: unknown, wanted: unknown, where: string): void {
  if (typeof wanted === "number") {
    expect(Math.abs((made as number) - wanted), where).toBeLessThan(
      1e-4 * Math.max(1, Math.abs(wanted)),
    );
    return;
  }
  expect(Object.keys(made as object).toSorted(), where).toEqual(
    Object.keys(wanted as object).toSorted(),
  );
  for (const [key, value] of Object.entries(wanted as Json))
    expectNear((made as Json)[key], value, `${where}.${key}`);
}
