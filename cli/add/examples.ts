import { encode } from "fast-png";
import type { Manifest } from "../../functions/model/manifest.ts";
import { elementCount, type Datatype } from "../../functions/tensor.ts";

/** Inputs larger than this would make the manifest unreadable. */
const MAX_ELEMENTS = 4096;
const IMAGE_SIDE = 32;

type Draft = Pick<Manifest, "task" | "inputs" | "features">;

/**
 * Inputs of the right form to compare runtimes on. None for a graph with free dimensions beside the
 * batch: only its owner knows which sizes go together.
 */
export function exampleInputs({ task, inputs, features = [] }: Draft): unknown[] {
  switch (task) {
    case "tabular-classification":
    case "tabular-regression":
      return [0, 1, 2].map((row) =>
        Object.fromEntries(features.map(({ name }, column) => [name, (row * (column + 2)) % 5])),
      );
    case "text-classification":
    case "feature-extraction":
      return ["This is the first example.", "Café déjà vu 👍", "no"];
    case "image-classification":
      return [picture()];
    case "tensor":
      return tensors(inputs);
    case "recommendation":
      return [];
    default:
      return task satisfies never;
  }
}

function tensors(inputs: Manifest["inputs"]): unknown[] {
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

function picture(): string {
  const data = Uint8Array.from({ length: IMAGE_SIDE * IMAGE_SIDE * 3 }, (_, index) => {
    const pixel = Math.floor(index / 3);
    const [x, y] = [pixel % IMAGE_SIDE, Math.floor(pixel / IMAGE_SIDE)];
    return [x * 8, y * 8, ((x + y) * 4) % 256][index % 3] ?? 0;
  });
  const png = encode({ width: IMAGE_SIDE, height: IMAGE_SIDE, channels: 3, depth: 8, data });
  return Buffer.from(png).toString("base64");
}
