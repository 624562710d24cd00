import type { Manifest } from "../../model/manifest.ts";
import { elementCount, type Datatype } from "../../tensor.ts";

/** Inputs larger than this would make the manifest unreadable. */
const MAX_ELEMENTS = 4096;

/** Two inputs; none for a graph with free dimensions beside the batch: only its owner knows which sizes go together. */
export function tensorExamples({ inputs }: Manifest): unknown[] {
  const shapes = inputs.map(({ shape }) =>
    shape.map((size, dimension) => (dimension === 0 && size === -1 ? 1 : size)),
  );
  const known = shapes.every((shape) => !shape.includes(-1) && elementCount(shape) <= MAX_ELEMENTS);
  if (!known) return [];
  return [0, 1].map((seed) =>
    Object.fromEntries(
      inputs.map(({ name, datatype }, index) => [
        name,
        nested(shapes[index] ?? [], datatype, { next: seed }),
      ]),
    ),
  );
}

function nested(shape: readonly number[], datatype: Datatype, counter: { next: number }): unknown {
  const [size, ...rest] = shape;
  if (size === undefined) return element(datatype, counter.next++);
  return Array.from({ length: size }, () => nested(rest, datatype, counter));
}

function element(datatype: Datatype, position: number): unknown {
  if (datatype === "BOOL") return position % 2 === 0;
  if (datatype === "BYTES") return `text ${position}`;
  if (datatype === "FP32" || datatype === "FP64") return ((position * 7) % 16) / 8 - 1;
  return position % 2;
}
