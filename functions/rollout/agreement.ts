import type { Policy } from "../model/release-policy.ts";
import { boxesAgree, maskPair, pixelsApart, type MaskPair } from "../tasks/image/rounded.ts";
import { numbersOf, type Tensor, type Tensors } from "../tensor.ts";
import { TensorJson } from "../wire/json-pieces.ts";

type Tolerance = Policy["tolerance"];
type Numbers = ArrayLike<number>;

/** So many pixels of masks are compared for a copy: a third of a second. */
const MOST_PIXELS = 16_000_000;

/**
 * How many of stable's answers the other version gives otherwise. Texts, labels, whole numbers of tensors and forms must
 * be the same. Other numbers may differ by the tolerance, and a list of numbers as one vector, by its length. Boxes may
 * lie a pixel apart in any case, and masks have other edges; those beyond {@link MOST_PIXELS} are not compared. All differ
 * if there are not as many answers. `pause` is called between pieces of the masks.
 */
export async function disagreements(
  stable: readonly unknown[],
  other: unknown,
  tolerance: Tolerance,
  pause: () => Promise<void>,
): Promise<number> {
  if (!Array.isArray(other) || other.length !== stable.length) return stable.length;
  const looking = { pixels: MOST_PIXELS, pause };
  let count = 0;
  for (const [row, one] of stable.entries()) {
    const masks: MaskPair[] = [];
    let isSame = agrees(one, other[row], { tolerance, masks });
    for (const pair of masks) isSame &&= (await pixelsApart(pair, looking)) !== undefined;
    if (!isSame) count++;
  }
  return count;
}

interface Comparing {
  tolerance: Tolerance;
  /** Gets the masks that are still to be compared. */
  masks: MaskPair[];
}

/** Whether the answers are the same, within the tolerance. */
function agrees(stable: unknown, other: unknown, comparing: Comparing): boolean {
  const { tolerance, masks } = comparing;
  if (typeof stable === "number" && typeof other === "number")
    return isNear([stable], [other], tolerance);
  if (stable instanceof TensorJson && other instanceof TensorJson)
    return tensorsAgree(stable.tensor, other.tensor, tolerance);
  if (!isStructure(stable) || !isStructure(other)) return stable === other;
  if (isNumbers(stable) && isNumbers(other)) return isNear(stable, other, tolerance);
  if (boxesAgree(stable, other)) return true;
  // What is absent in JSON is undefined here.
  const keys = keysOf(stable);
  return (
    Array.isArray(stable) === Array.isArray(other) &&
    keys.length === keysOf(other).length &&
    keys.every((key) => {
      const pair = maskPair(key, stable[key], other[key]);
      if (pair) masks.push(pair);
      return pair !== undefined || agrees(stable[key], other[key], comparing);
    })
  );
}

/** Whether all tensors of all runs are the same, within the tolerance. */
export function agreeingTensors(
  stable: readonly Tensors[],
  other: readonly Tensors[],
  tolerance: Tolerance,
): boolean {
  return stable.every((tensors, run) =>
    Object.entries(tensors).every(([name, tensor]) =>
      tensorsAgree(tensor, other[run]?.[name], tolerance),
    ),
  );
}

function tensorsAgree(stable: Tensor, other: Tensor | undefined, tolerance: Tolerance): boolean {
  if (stable.datatype !== other?.datatype) return false;
  if (stable.shape.join() !== other.shape.join()) return false;
  const isReal = stable.datatype.startsWith("FP");
  const [mine, theirs] = isReal ? [numbersOf(stable.data), numbersOf(other.data)] : [];
  if (mine && theirs) return isNear(mine, theirs, tolerance);
  return Array.prototype.every.call(stable.data, (value, place) => value === other.data[place]);
}

function isNear(stable: Numbers, other: Numbers, { absolute, relative }: Tolerance): boolean {
  if (stable.length !== other.length) return false;
  let [size, distance] = [0, 0];
  for (let place = 0; place < stable.length; place++) {
    const [mine, theirs] = [stable[place] as number, other[place] as number];
    if (Number.isFinite(mine - theirs)) {
      distance += (mine - theirs) ** 2;
      size += mine ** 2;
    } else if (!Object.is(mine, theirs)) return false;
  }
  return Math.sqrt(distance) <= absolute + relative * Math.sqrt(size);
}

function isNumbers(value: object): value is Numbers & object {
  return Array.isArray(value)
    ? value.length > 0 && value.every((one) => typeof one === "number")
    : value instanceof Float32Array || value instanceof Float64Array;
}

function keysOf(value: Record<string, unknown>): string[] {
  return Object.keys(value).filter((key) => value[key] !== undefined);
}

function isStructure(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
