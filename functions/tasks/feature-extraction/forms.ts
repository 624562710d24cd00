import type { TextOptions } from "../text/options.ts";

/** The kinds of numbers of a vector, as `quantize_embeddings` of sentence-transformers names them. */
export const PRECISIONS = ["float32", "int8", "uint8", "binary", "ubinary"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** How a vector is wanted, where that is not as the model makes it. */
export interface VectorForm {
  /** How many of its numbers. */
  dimensions?: number | null | undefined;
  precision?: Precision | null | undefined;
}

/**
 * Why a version does not give vectors of a form, in words, and which part of the form it is. `size`: the numbers of a
 * vector, or -1 where only a run shows it. Undefined where it does.
 */
export function formProblem(
  { pooling, matryoshka, ranges }: Partial<TextOptions> = {},
  size: number,
  { dimensions, precision }: VectorForm,
): [part: keyof VectorForm, message: string] | undefined {
  const isCut = typeof dimensions === "number" && dimensions !== size;
  const isWhole = pooling !== "none" && pooling !== "splade";
  if (isCut && size >= 0 && dimensions > size)
    return ["dimensions", `must be at most ${size} for this model`];
  if (isCut && (!isWhole || !matryoshka))
    return [
      "dimensions",
      "must be absent: text.matryoshka does not say that its vectors may be cut",
    ];
  if (isCut && Array.isArray(matryoshka) && !matryoshka.includes(dimensions))
    return ["dimensions", `must be one of ${matryoshka.join(", ")} for this model`];
  if (!precision || precision === "float32") return undefined;
  if (!isWhole) return ["precision", "must be float32: the model gives more than a vector"];
  if (precision.endsWith("binary")) return undefined;
  if (!ranges) return ["precision", "must not be int8 or uint8: the model has no text.ranges"];
  return isCut
    ? ["precision", "must not be int8 or uint8 with dimensions: text.ranges are of whole vectors"]
    : undefined;
}

/**
 * The vector in other numbers, as `quantize_embeddings` makes them. int8 and uint8: which of 256 equal steps between
 * the least and the largest number of its place. binary and ubinary: eight bits in a number, 1 where a number is above
 * 0; the first is the highest.
 */
export function quantized(
  vector: readonly number[],
  precision: Precision | null | undefined,
  ranges: TextOptions["ranges"],
): number[] {
  if (!precision || precision === "float32") return [...vector];
  const isSigned = !precision.startsWith("u");
  const bytes = precision.endsWith("binary") ? packed(vector) : steps(vector, ranges ?? [[], []]);
  return isSigned ? bytes.map((byte) => byte - 128) : bytes;
}

function packed(vector: readonly number[]): number[] {
  const bytes = Array.from({ length: Math.ceil(vector.length / 8) }, () => 0);
  for (const [at, value] of vector.entries())
    if (value > 0) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (128 >> (at & 7));
  return bytes;
}

function steps(vector: readonly number[], [least, most]: readonly number[][]): number[] {
  return vector.map((value, at) => {
    const [from, to] = [least?.[at] ?? 0, most?.[at] ?? 0];
    const step = (to - from) / 255 || 1;
    return Math.min(255, Math.max(0, Math.floor((value - from) / step)));
  });
}
