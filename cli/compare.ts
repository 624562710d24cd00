import {
  boxesAgree,
  maskPair,
  pixelsApart,
  type MaskPair,
} from "../functions/tasks/image/rounded.ts";

/** How much two answers differ. */
export interface Difference {
  /** Largest difference between two numbers in the same place. */
  largest: number;
  /** The least tolerance that allows all of them. */
  least: number;
  /** The first difference: a label, a length, or a number beyond the tolerance. */
  mismatch?: string;
  /** Whether boxes or masks differ, by no more than rounding may change. */
  isRounded?: true;
}

export const SAME: Difference = { largest: 0, least: 0 };

/**
 * Compares two answers: text, labels and lengths must be the same, numbers may differ by
 * `tolerance × max(1, |expected|)`. Boxes may lie a pixel apart, and masks have other edges. Lists whose items have an
 * index are compared by it: two that are nearly as good may change places.
 */
export async function compareAnswers(
  expected: unknown,
  actual: unknown,
  tolerance: number,
  path = "output",
): Promise<Difference> {
  const masks: PathPair[] = [];
  const found = compare([expected, actual], path, { tolerance, masks });
  let isRounded = found.isRounded ?? false;
  for (const { pair, path } of found.mismatch === undefined ? masks : []) {
    const apart = await pixelsApart(pair);
    if (apart === undefined) return { ...found, mismatch: `${path} has other pixels` };
    if (apart > 0) isRounded = true;
  }
  return isRounded ? { ...found, isRounded: true } : found;
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
    const least = largest / Math.max(1, Math.abs(expected));
    return least <= tolerance
      ? { largest, least }
      : { largest, least, mismatch: `${path} is ${actual}, not ${expected}` };
  }
  if (!isStructure(expected) || !isStructure(actual))
    return expected === actual
      ? SAME
      : { ...SAME, mismatch: `${path} is ${show(actual)}, not ${show(expected)}` };
  const [items, others] = [byIndex(expected), byIndex(actual)];
  if (items && others && items.size + others.size > 0)
    return compareItems([items, others], path, comparing);
  const keys = Object.keys(expected);
  if (boxesAgree(expected, actual)) {
    const isSame = keys.every((key) => expected[key] === actual[key]);
    return isSame ? SAME : { ...SAME, isRounded: true };
  }
  if (
    Array.isArray(expected) !== Array.isArray(actual) ||
    keys.length !== Object.keys(actual).length
  )
    return { ...SAME, mismatch: `${path} has another form` };
  return keys
    .map((key) => {
      const below = Array.isArray(expected) ? `${path}[${key}]` : `${path}.${key}`;
      const pair = maskPair(key, expected[key], actual[key]);
      if (!pair) return compare([expected[key], actual[key]], below, comparing);
      masks.push({ pair, path: below });
      return SAME;
    })
    .reduce(worse, SAME);
}

type Items = ReadonlyMap<number, Record<string, unknown>>;

/** A list's items by their index. Undefined for a list whose items have none, or one of them twice. */
function byIndex(list: Record<string, unknown>): Items | undefined {
  if (!Array.isArray(list)) return undefined;
  const items = new Map<number, Record<string, unknown>>();
  for (const item of list as unknown[]) {
    const index = isStructure(item) ? item["index"] : undefined;
    if (!Number.isInteger(index) || items.has(index as number)) return undefined;
    items.set(index as number, item as Record<string, unknown>);
  }
  return items;
}

function compareItems(
  [expected, actual]: readonly [Items, Items],
  path: string,
  comparing: Comparing,
): Difference {
  // In a sparse vector, a number that is missing is 0.
  const itemOf = (items: Items, others: Items, index: number) => {
    const other = others.get(index);
    return items.get(index) ?? (other && "value" in other ? { ...other, value: 0 } : undefined);
  };
  const byItem = [...new Set([...expected.keys(), ...actual.keys()])].map((index) =>
    compare(
      [itemOf(expected, actual, index), itemOf(actual, expected, index)],
      `${path} with index ${index}`,
      comparing,
    ),
  );
  // Those that changed places have nearly the same scores.
  const [scores, others] = [expected, actual].map((items) =>
    [...items.values()].map(({ score }) => score),
  );
  const byPlace = scores?.map((score, at) =>
    compare([score, others?.[at]], `${path}[${at}].score`, comparing),
  );
  return [...byItem, ...(byPlace ?? [])].reduce(worse, SAME);
}

/** What to say behind the largest difference. */
export function besides(isRounded: boolean | undefined): string {
  return isRounded
    ? ", besides sides of boxes a pixel apart or other edges of masks, as rounding makes them"
    : "";
}

/** Joins two differences. */
export function worse(first: Difference, second: Difference): Difference {
  const mismatch = first.mismatch ?? second.mismatch;
  return {
    largest: Math.max(first.largest, second.largest),
    least: Math.max(first.least, second.least),
    ...(mismatch !== undefined && { mismatch }),
    ...((first.isRounded || second.isRounded) && { isRounded: true }),
  };
}

function isStructure(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? "missing";
}
