import { invalidInput } from "../errors.ts";

/** Whether the input is texts. A zod schema of the array would make an issue for each item that is not a string. */
export function isTexts(input: unknown): boolean {
  return Array.isArray(input)
    ? input.every((text) => typeof text === "string")
    : typeof input === "string";
}

/** The vector, or its first `dimensions` numbers scaled to length 1. Throws `invalid_input` for others. */
export function shortened(vector: unknown, dimensions: number | null | undefined): number[] {
  if (!Array.isArray(vector) || typeof vector[0] !== "number")
    throw invalidInput([
      { path: "model", message: "gives a sparse vector or one a token, not one for the text" },
    ]);
  const numbers = vector as number[];
  if (!dimensions || dimensions === numbers.length) return numbers;
  if (dimensions > numbers.length)
    throw invalidInput([
      { path: "dimensions", message: `must be at most ${numbers.length} for this model` },
    ]);
  return toUnit(numbers.slice(0, dimensions));
}

/** The vector scaled to length 1. */
export function toUnit(vector: readonly number[]): number[] {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? [...vector] : vector.map((value) => value / length);
}
