import type { FeatureProblem, FeatureRow, OfEach } from "./source.ts";

/** What a row says of one feature. */
export interface Found {
  value: unknown;
  at: number | undefined;
  problem: FeatureProblem | undefined;
}

export function foundAt(row: FeatureRow, place: number): Found {
  return {
    value: row.values[place],
    at: ofEach(row.at, place),
    problem: ofEach(row.problem, place),
  };
}

/** When the value at this place was so. */
export function timeAt({ at }: FeatureRow, place: number): number | undefined {
  return ofEach(at, place);
}

/** The row of an entity that is not known. */
export function emptyRow(names: readonly string[]): FeatureRow {
  return { values: names.map(() => undefined) };
}

/** The row of an entity of which something is stored, but nothing that can be read. */
export function unreadableRow(names: readonly string[]): FeatureRow {
  return { ...emptyRow(names), problem: "unreadable" };
}

/** Whether it is a row of so many features. A deployment's own source may give anything. */
export function isRow(given: unknown, length: number): given is FeatureRow {
  if (typeof given !== "object" || given === null) return false;
  const { values, at, problem } = given as Partial<FeatureRow>;
  return isList(values, length) && fits(at, length) && fits(problem, length);
}

function fits(given: unknown, length: number): boolean {
  return !Array.isArray(given) || given.length === length;
}

function isList(given: unknown, length: number): boolean {
  return Array.isArray(given) && given.length === length;
}

/** What is said of all values, or of the one at this place. */
function ofEach<T>(said: OfEach<T>, place: number): T | undefined {
  const own = Array.isArray(said) ? (said as readonly (T | null | undefined)[])[place] : said;
  return (own as T | null | undefined) ?? undefined;
}
