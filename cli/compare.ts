import {
  boxesAgree,
  maskPair,
  masksAgree,
  type MaskPair,
} from "../functions/tasks/image/rounded.ts";

/** How much two answers differ. */
export interface Difference {
  /** Largest difference between two numbers in the same place. */
  largest: number;
  /** The first difference: a label, a length, or a number beyond the tolerance. */
  mismatch?: string;
}

/**
 * Compares two answers: text, labels and lengths must be the same, numbers may differ by
 * `tolerance × max(1, |expected|)`. Boxes may lie a pixel apart, and masks have other edges.
 */
export async function compareAnswers(
  expected: unknown,
  actual: unknown,
  tolerance: number,
  path = "output",
): Promise<Difference> {
  const masks: PathPair[] = [];
  const found = compare([expected, actual], path, { tolerance, masks });
  for (const { pair, path } of found.mismatch === undefined ? masks : [])
    if (!(await masksAgree(pair))) return { ...found, mismatch: `${path} has other pixels` };
  return found;
}

interface PathPair {
  pair: MaskPair;
  path: string;
}

interface Comparing {
  tolerance: number;
  /** Gets the masks that are still to be compared. */
  masks: PathPair[];
}

function compare(
  [expected, actual]: readonly [unknown, unknown],
  path: string,
  comparing: Comparing,
): Difference {
  const { tolerance, masks } = comparing;
  if (typeof expected === "number" && typeof actual === "number") {
    const largest = Object.is(expected, actual) ? 0 : Math.abs(expected - actual);
    return largest <= tolerance * Math.max(1, Math.abs(expected))
      ? { largest }
      : { largest, mismatch: `${path} is ${actual}, not ${expected}` };
  }
  if (!isStructure(expected) || !isStructure(actual))
    return expected === actual
      ? { largest: 0 }
      : { largest: 0, mismatch: `${path} is ${show(actual)}, not ${show(expected)}` };
  if (boxesAgree(expected, actual)) return { largest: 0 };
  const keys = Object.keys(expected);
  if (
    Array.isArray(expected) !== Array.isArray(actual) ||
    keys.length !== Object.keys(actual).length
  )
    return { largest: 0, mismatch: `${path} has another form` };
  return keys
    .map((key) => {
      const below = Array.isArray(expected) ? `${path}[${key}]` : `${path}.${key}`;
      const pair = maskPair(key, expected[key], actual[key]);
      if (!pair) return compare([expected[key], actual[key]], below, comparing);
      masks.push({ pair, path: below });
      return { largest: 0 };
    })
    .reduce(worse, { largest: 0 });
}

/** Joins two differences. */
export function worse(first: Difference, second: Difference): Difference {
  const mismatch = first.mismatch ?? second.mismatch;
  return {
    largest: Math.max(first.largest, second.largest),
    ...(mismatch !== undefined && { mismatch }),
  };
}

function isStructure(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? "missing";
}
