import { invalidInput } from "../errors.ts";
import type { Manifest, ManifestOf } from "../model/manifest.ts";
import type { Resolved } from "../model/registry.ts";
import {
  formProblem,
  quantized,
  type Precision,
  type VectorForm,
} from "../tasks/feature-extraction/forms.ts";
import type { textOptions } from "../tasks/text/options.ts";
import { NUMBER_BYTES } from "../wire/answer-size.ts";

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

/**
 * Throws `invalid_input` where the version does not give vectors of the form. `names`: what the dialect calls its parts.
 */
export function checkForm(
  { manifest }: Pick<Resolved, "manifest">,
  form: VectorForm,
  names: Partial<Record<keyof VectorForm, string>> = {},
): void {
  const { text, outputs } = manifest as ManifestOf<typeof textOptions>;
  const width = outputs[0]?.shape.at(-1) ?? -1;
  const size = width < 0 ? -1 : Math.min(width, text?.dimensions ?? Infinity);
  const [part, message] = formProblem(text, size, form) ?? [];
  if (part && message) throw invalidInput([{ path: names[part] ?? part, message }]);
}

/** Little-endian float32. */
export function toBase64(vector: readonly number[]): string {
  const bytes = new Uint8Array(Float32Array.from(vector).buffer);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** The size of a number as base64 of four bytes, as a share of the 20 bytes that it counts in JSON. */
export const BASE64_SCALE = (4 * 4) / 3 / NUMBER_BYTES;

/** The numbers of a vector in another form, as the model's `text.ranges` make them. */
export function inPrecision(
  vector: readonly number[],
  precision: Precision,
  manifest: Manifest,
): number[] {
  return quantized(vector, precision, (manifest as ManifestOf<typeof textOptions>).text?.ranges);
}

/** The vector scaled to length 1. */
export function toUnit(vector: readonly number[]): number[] {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? [...vector] : vector.map((value) => value / length);
}

/** Whether the model's own vectors have length 1. */
export function isUnitLength(manifest: object): boolean {
  return (manifest as ManifestOf<typeof textOptions>).text?.normalize ?? false;
}

/** Throws `invalid_input` where vectors of another length are wanted than the model gives. */
export function checkNormalize(
  { manifest }: Pick<Resolved, "manifest">,
  normalize: boolean | null | undefined,
): void {
  if (normalize === false && isUnitLength(manifest))
    throw invalidInput([
      { path: "normalize", message: "must be true: this model's vectors have length 1" },
    ]);
}
