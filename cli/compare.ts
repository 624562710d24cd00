/** How much two answers differ. */
export interface Difference {
  /** Largest difference between two numbers in the same place. */
  largest: number;
  /** The first difference: a label, a length, or a number beyond the tolerance. */
  mismatch?: string;
}

/**
 * Compares two answers: text, labels and lengths must be the same, numbers may differ by
 * `tolerance × max(1, |expected|)`.
 */
export function compareAnswers(
  expected: unknown,
  actual: unknown,
  tolerance: number,
  path = "output",
): Difference {
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
  const keys = Object.keys(expected);
  if (
    Array.isArray(expected) !== Array.isArray(actual) ||
    keys.length !== Object.keys(actual).length
  )
    return { largest: 0, mismatch: `${path} has another form` };
  return keys
    .map((key) => {
      const below = Array.isArray(expected) ? `${path}[${key}]` : `${path}.${key}`;
      return compareAnswers(expected[key], actual[key], tolerance, below);
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
