import type { InputInfo } from "../model/manifest.ts";

interface Bounds {
  /** Whether the first dimension is the number of rows. Rows have a limit of their own. */
  isBatched: boolean;
  /** The most pairs of positions, for free dimensions without a bound in the manifest. */
  maxPairs: number;
  /** The most tokens a row, for such dimensions of a tokenizer's inputs. */
  maxTokens: number | undefined;
  /** The most samples of sound of all rows, for such dimensions of a waveform. */
  maxSamples: number | undefined;
}

/**
 * What is too large about a shape that fits its input, in words. A graph may compare every position of a row with every
 * other, as attention does. A free dimension then costs its square, and a few bytes of a compressed body become
 * gigabytes. The manifest can say how much its graph takes. If it does not, the number of pairs of positions is
 * limited.
 */
export function excessOf(
  { shape: wanted, maxShape = [] }: InputInfo,
  shape: readonly number[],
  { isBatched, maxPairs, maxTokens, maxSamples }: Bounds,
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
  // An empty tensor costs nothing.
  if (shape.includes(0)) return undefined;
  const rows = isBatched ? (shape[0] ?? 1) : 1;
  const positions = free.reduce((product, size) => product * size, 1);
  if (maxSamples !== undefined)
    return rows * positions > maxSamples
      ? `has ${rows * positions} samples; a tensor may have ${maxSamples} (the manifest's audio.waveform.maxSeconds). Send fewer or shorter rows, or give the input a maxShape in the manifest`
      : undefined;
  const pairs = rows * Math.max(longest ** 2, positions);
  return pairs > maxPairs
    ? `has the shape [${shape.join(", ")}], which is ${pairs} pairs of positions (${rows} × ${longest}²); a request may have ${maxPairs} (MAX_POSITION_PAIRS, or the model's limits.positionPairs). Send fewer or shorter rows, or give the input a maxShape in the manifest`
    : undefined;

  function boundOf(axis: number): number {
    const bound = maxShape[axis] ?? -1;
    return bound === -1 ? Infinity : bound;
  }
}
