import { isBatched, type ManifestOf } from "../../model/manifest.ts";
import { elementCount, type Datatype } from "../../tensor.ts";
import type { tensorOptions } from "./options.ts";
import { mulberry32 } from "./seeded.ts";

/** The most elements of an input that a person can read and check. */
const MOST_READABLE = 4096;
/** The most elements of an example. A picture of 1,182 × 1,182 pixels in three colours just fits. */
const MOST_ELEMENTS = 2 ** 22;
/** The levels of a picture's pixel. All floating point types hold them exactly. */
const LEVELS = 256;

type NextElement = (datatype: Datatype) => unknown;

/**
 * Makes two inputs. Small ones count up. Large ones have the numbers of {@link mulberry32} from the seeds 1 and 2.
 * Makes none for a graph with free dimensions besides the batch: only its owner knows which sizes fit together. A state
 * begins with zeros.
 */
export function tensorExamples(manifest: ManifestOf<typeof tensorOptions>): unknown[] {
  const { state = {} } = manifest;
  const inputs = manifest.inputs.filter(({ name }) => !Object.hasOwn(state, name));
  const shapes = inputs.map((input) =>
    isBatched(manifest, input) ? [1, ...input.shape.slice(1)] : input.shape,
  );
  const counts = shapes.map(elementCount);
  const isKnown = shapes.every((shape) => !shape.includes(-1));
  if (!isKnown || counts.some((count) => count > MOST_ELEMENTS)) return [];
  const isReadable = counts.every((count) => count <= MOST_READABLE);
  return [0, 1].map((index) => {
    const random = seeded(index + 1);
    return Object.fromEntries(
      inputs.map(({ name, datatype }, input) => {
        const next = isReadable ? counting(index) : random;
        return [name, nested(shapes[input] ?? [], () => next(datatype))];
      }),
    );
  });
}

function nested(shape: readonly number[], next: () => unknown): unknown {
  const [size, ...rest] = shape;
  if (size === undefined) return next();
  return Array.from({ length: size }, () => nested(rest, next));
}

function counting(start: number): NextElement {
  let position = start;
  return (datatype) => {
    const at = position++;
    if (datatype === "BOOL") return at % 2 === 0;
    if (datatype === "BYTES") return `text ${at}`;
    if (isFloat(datatype)) return ((at * 7) % 16) / 8 - 1;
    return at % 2;
  };
}

/**
 * Makes floats from 0 to below 1, and bytes of all values. Other integers are 0 and 1, so that they are also valid
 * positions in a table.
 */
function seeded(seed: number): NextElement {
  const random = mulberry32(seed);
  return (datatype) => {
    const level = Math.floor(random() * LEVELS);
    if (datatype === "BOOL") return level % 2 === 0;
    if (datatype === "BYTES") return `text ${level}`;
    if (isFloat(datatype)) return level / LEVELS;
    return datatype === "UINT8" ? level : level % 2;
  };
}

function isFloat(datatype: Datatype): boolean {
  return datatype === "FP16" || datatype === "FP32" || datatype === "FP64";
}
