import type { InputInfo } from "../model/manifest.ts";

interface Bounds {
  /** Whether the first dimension is the number of rows, which has a limit of its own. */
  isBatched: boolean;
  /** For dimensions that the manifest leaves free without a bound. */
  maxPairs: number;
  /** For the same dimensions of a tokenizer's inputs. */
  maxTokens: number | undefined;
}

/**
 * What is too large about a shape that fits its input, in words. A graph may compare every position of a row with
 * every other, as attention does: then a free dimension costs its square, and few bytes of a compressed body are
 * gigabytes. Only the manifest can say what its graph takes; where it does not, the pairs of positions are limited.
 */
export function excessOf(
  { shape: wanted, maxShape = [] }: InputInfo,
  shape: readonly number[],
  { isBatched, maxPairs, maxTokens }: Bounds,
): string | undefined {
  if (shape.some((size, axis) => size > boundOf(axis)))
    return `must have a shape of at most [${maxShape.join(", ")}] (the manifest's maxShape), has [${shape.join(", ")}]`;
  const free = shape.filter(
    (_, axis) => wanted[axis] === -1 && boundOf(axis) === Infinity && !(isBatched && axis === 0),
  );
  if (free.length === 0) return undefined;
  const longest = Math.max(...free);
  if (maxTokens !== undefined)
    return longest > maxTokens
      ? `must have at most ${maxTokens} tokens a row (the manifest's text.maxLength), has ${longest}. Send fewer, or give the input a maxShape in the manifest`
      : undefined;
  // Nothing but dimensions.
  if (shape.includes(0)) return undefined;
  const rows = isBatched ? (shape[0] ?? 1) : 1;
  const positions = free.reduce((product, size) => product * size, 1);
  const pairs = rows * Math.max(longest ** 2, positions);
  return pairs > maxPairs
    ? `has the shape [${shape.join(", ")}], which is ${pairs} pairs of positions (${rows} × ${longest}²); a request may have ${maxPairs} (MAX_POSITION_PAIRS, or the model's limits.positionPairs). Send fewer or shorter rows, or give the input a maxShape in the manifest`
    : undefined;

  function boundOf(axis: number): number {
    const bound = maxShape[axis] ?? -1;
    return bound === -1 ? Infinity : bound;
  }
}
