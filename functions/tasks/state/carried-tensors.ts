import type { Manifest } from "../../model/manifest.ts";
import { DATATYPES, elementCount, type Datatype, type Tensors } from "../../tensor.ts";
import type { Carried } from "./carried.ts";

/** Pairs of an input, and of the output that it is in the next step. */
export type StatePairs = readonly (readonly [input: string, output: string])[];

/** Throws an Error where the manifest's `state` does not name an input and an output of the same kind. */
export function carriedTensors(
  { inputs, outputs }: Pick<Manifest, "inputs" | "outputs">,
  state: Readonly<Record<string, string>>,
): { pairs: StatePairs; carried: Carried[]; begin: () => Tensors } {
  const pairs = Object.entries(state);
  if (new Set(Object.values(state)).size < pairs.length)
    throw new Error("state names an output twice");
  const carried = pairs.map(([name, next]): Carried => {
    const input = inputs.find((one) => one.name === name);
    const output = outputs.find((one) => one.name === next);
    if (!input || !output)
      throw new Error(`state has ${name}: ${next}, which are not an input and an output`);
    const { datatype, shape } = input;
    if (datatype === "BYTES" || datatype !== output.datatype || !fits(shape, output.shape))
      throw new Error(`state has ${name}: ${next}, whose datatypes or shapes differ`);
    return { datatype, shape };
  });
  return {
    pairs,
    carried,
    begin: () =>
      Object.fromEntries(
        pairs.map(([name], index) => [name, zeros(carried[index] as Carried)] as const),
      ),
  };
}

function fits(shape: readonly number[], other: readonly number[]): boolean {
  return (
    shape.length === other.length &&
    shape.every((size, axis) => size === other[axis] || size === -1 || other[axis] === -1)
  );
}

/** The shape that a state begins with. */
export function firstShape({ shape }: Carried): number[] {
  return shape.map((size) => (size === -1 ? 1 : size));
}

function zeros(carried: Carried): Tensors[string] {
  const { datatype } = carried;
  const shape = firstShape(carried);
  return { datatype, shape, data: arrayOf(datatype, elementCount(shape)) };
}

function arrayOf(datatype: Exclude<Datatype, "BYTES">, length: number) {
  return new DATATYPES[datatype].array(length);
}
