import type { Feature, Manifest } from "../../model/manifest.ts";
import { DATATYPES, type Datatype, type Tensor, type TensorData } from "../../tensor.ts";

/** A graph input that takes one feature. */
export interface Column {
  name: string;
  /** A checked value for each row, as a tensor `[rows, 1]`. */
  pack: (values: readonly unknown[]) => Tensor;
}

type Pack = (values: readonly unknown[]) => TensorData;

const numbers = (values: readonly unknown[]) => values as readonly number[];

const PACKS: Record<Feature["type"], Partial<Record<Datatype, Pack>>> = {
  number: {
    FP32: (values) => Float32Array.from(numbers(values)),
    FP64: (values) => Float64Array.from(numbers(values)),
  },
  integer: {
    FP32: (values) => Float32Array.from(numbers(values)),
    INT32: (values) => Int32Array.from(numbers(values)),
    INT64: (values) => BigInt64Array.from(numbers(values), BigInt),
  },
  boolean: { BOOL: (values) => DATATYPES.BOOL.array.from(values, Number) },
  string: { BYTES: (values) => values.map((value) => (value as string).toWellFormed()) },
};

/** How the feature's values become the input's tensor. Undefined when they cannot. */
export function columnPacker(
  { type }: Feature,
  { name, datatype, shape }: Manifest["inputs"][number],
): Column | undefined {
  const pack = PACKS[type][datatype];
  if (!pack || shape.length !== 2 || shape[1] !== 1) return undefined;
  return {
    name,
    pack: (values) => ({ datatype, shape: [values.length, 1], data: pack(values) }),
  };
}
