import type { Case, ExpectedAnswer } from "./report.ts";

/** How far a number may be from the original's: for probabilities as they are, for others by their size or spread. */
export const TOLERANCE = 1e-4;

export interface Difference {
  /** How the answer differs, in words. Undefined where it does not. */
  mismatch?: string;
  /** The largest difference between two numbers. */
  largest: number;
  /** Whether the label is another one, of two that the original has no preference for. */
  isTie?: boolean;
}

export interface Scale {
  /** Whether numbers are probabilities. */
  areProbabilities: boolean;
  /** The standard deviation of the original's numbers. */
  spread: number;
}

/** How large the original's numbers are, so that a tolerance can be told for them. */
export function scaleOf(cases: readonly Case[], areProbabilities: boolean): Scale {
  const numbers = cases.flatMap(({ expected: { value, values, numbers: named } }) =>
    value === undefined ? Object.values(values ?? named ?? {}) : [value],
  );
  const mean = numbers.reduce((sum, one) => sum + one, 0) / (numbers.length || 1);
  const squares = numbers.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { areProbabilities, spread: Math.sqrt(squares / (numbers.length || 1)) };
}

/** Compares an answer of the service with the original's. */
export function differenceOf(expected: ExpectedAnswer, answer: unknown, scale: Scale): Difference {
  const given = answer as Record<string, unknown>;
  if (expected.value !== undefined)
    return differenceOfNumbers({ value: expected.value }, given, scale);
  if (expected.values)
    return differenceOfNumbers(
      expected.values,
      (given["values"] ?? {}) as Record<string, unknown>,
      scale,
    );
  if (expected.anomaly !== undefined) return ofAnomaly(expected, given, scale);
  const found = (given["scores"] ?? given["decision_values"] ?? {}) as Record<string, unknown>;
  const { numbers = {} } = expected;
  const difference = differenceOfNumbers(numbers, found, scale);
  if (difference.mismatch !== undefined) return difference;
  if (expected.labels) return { ...difference, ...ofLabels(expected.labels, given, numbers) };
  const label = String(given["label"]);
  if (label === expected.label) return difference;
  if (isTie(numbers, String(expected.label), label)) return { ...difference, isTie: true };
  return { ...difference, mismatch: `the label is ${label}, not ${expected.label}` };
}

/** A row whose score is at the threshold: which side it is on depends on the last bit. */
function ofAnomaly(
  { anomaly, numbers = {} }: ExpectedAnswer,
  given: Readonly<Record<string, unknown>>,
  scale: Scale,
): Difference {
  const difference = differenceOfNumbers(numbers, given, scale);
  if (difference.mismatch !== undefined || given["anomaly"] === anomaly) return difference;
  if (Math.abs(numbers["score"] ?? NaN) <= TOLERANCE * scale.spread)
    return { ...difference, isTie: true };
  return { ...difference, mismatch: `anomaly is ${String(given["anomaly"])}, not ${anomaly}` };
}

function differenceOfNumbers(
  expected: Readonly<Record<string, number>>,
  found: Readonly<Record<string, unknown>>,
  { areProbabilities, spread }: Scale,
): Difference {
  let largest = 0;
  for (const [name, number] of Object.entries(expected)) {
    const other = found[name];
    if (typeof other !== "number") return { largest, mismatch: `there is no ${name}` };
    const by = Math.abs(other - number);
    largest = Math.max(largest, by);
    const allowed = TOLERANCE * (areProbabilities ? 1 : Math.max(Math.abs(number), spread));
    // A comparison that NaN fails.
    if (!(by <= allowed)) return { largest, mismatch: `${name} is ${other}, not ${number}` };
  }
  return { largest };
}

/** Two labels with equal numbers: which one is said depends on the last bit. A single number decides by its sign. */
function isTie(
  numbers: Readonly<Record<string, number>>,
  expected: string,
  label: string,
): boolean {
  const values = Object.values(numbers);
  if (values.length === 1) return Math.abs(values[0] ?? NaN) <= TOLERANCE;
  return Math.abs((numbers[expected] ?? NaN) - (numbers[label] ?? NaN)) <= TOLERANCE;
}

function ofLabels(
  expected: readonly string[],
  given: Readonly<Record<string, unknown>>,
  numbers: Readonly<Record<string, number>>,
): Pick<Difference, "mismatch" | "isTie"> {
  const found = (given["labels"] ?? []) as string[];
  const others = [
    ...expected.filter((one) => !found.includes(one)),
    ...found.filter((one) => !expected.includes(one)),
  ];
  if (others.length === 0) return {};
  const half = others.every((one) => Math.abs((numbers[one] ?? NaN) - 0.5) <= TOLERANCE);
  return half
    ? { isTie: true }
    : {
        mismatch: `the labels are ${found.join(", ") || "none"}, not ${expected.join(", ") || "none"}`,
      };
}
