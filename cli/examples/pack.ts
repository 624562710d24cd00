import { readNpy, jsonElements, writeNpy, type NpyArray, type NpyType } from "./npy.ts";

/** In an example, this stands for the array in a NumPy file beside it. */
const REFERENCE = "$npy";
/** Shorter arrays stay in the text. */
const FEWEST_ELEMENTS = 1000;

/** Replaces the large arrays of a value by references. `save` gets the file of each and returns its name. */
export function pack(value: unknown, save: (npy: Uint8Array) => string): unknown {
  if (Array.isArray(value)) {
    const array = arrayOf(value);
    return array ? { [REFERENCE]: save(writeNpy(array)) } : value.map((one) => pack(one, save));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, pack(one, save)]));
}

/** Replaces each reference of a value by the array in that file, nested as in JSON. */
export function unpack(value: unknown, files: ReadonlyMap<string, Uint8Array>): unknown {
  if (Array.isArray(value)) return value.map((one) => unpack(one, files));
  if (typeof value !== "object" || value === null) return value;
  const file = referenceOf(value);
  if (file === undefined)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unpack(one, files)]));
  try {
    return nested(readNpy(files.get(file) as Uint8Array));
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}.`, { cause });
  }
}

/** The names of the files that a value refers to. */
export function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const file = Array.isArray(value) ? undefined : referenceOf(value);
  return file === undefined ? Object.values(value).flatMap(references) : [file];
}

function referenceOf(value: object): string | undefined {
  const file = (value as Record<string, unknown>)[REFERENCE];
  return typeof file === "string" && Object.keys(value).length === 1 ? file : undefined;
}

/**
 * Nested arrays as one array, if they are large, have one shape, and hold numbers or booleans that a file keeps
 * exactly.
 */
function arrayOf(value: readonly unknown[]): NpyArray | undefined {
  const shape: number[] = [];
  let elements: unknown[] = [value];
  while (Array.isArray(elements[0])) {
    const size = elements[0].length;
    if (!elements.every((one) => Array.isArray(one) && one.length === size)) return undefined;
    shape.push(size);
    elements = elements.flat();
  }
  if (elements.length < FEWEST_ELEMENTS) return undefined;
  const type = typeOf(elements);
  if (!type) return undefined;
  const data = type === "<i8" ? (elements as number[]).map(BigInt) : elements.map(Number);
  return { type, shape, data };
}

function typeOf(elements: readonly unknown[]): NpyType | undefined {
  if (elements.every((value) => typeof value === "boolean")) return "|b1";
  if (!elements.every((value) => typeof value === "number")) return undefined;
  if (elements.every((value) => Number.isSafeInteger(value) && !Object.is(value, -0)))
    return elements.every((value) => value >= 0 && value <= 255) ? "|u1" : "<i8";
  return elements.every((value) => Object.is(Math.fround(value), value)) ? "<f4" : "<f8";
}

function nested(array: NpyArray): unknown {
  const elements = jsonElements(array);
  let start = 0;
  const build = (depth: number): unknown =>
    depth === array.shape.length
      ? elements[start++]
      : Array.from({ length: array.shape[depth] ?? 0 }, () => build(depth + 1));
  return build(0);
}
