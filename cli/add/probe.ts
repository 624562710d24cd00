import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createDeadline } from "../../functions/load/deadline.ts";
import { toHalfFloats } from "../../functions/half-floats.ts";
import {
  DATATYPES,
  elementCount,
  type Tensor,
  type TensorData,
  type Tensors,
} from "../../functions/tensor.ts";
import { APART_MS, harmOf, nativeApart } from "../native-apart.ts";
import { categoriesOf } from "../onnx/categories.ts";
import type { Graph, TensorInfo } from "../../functions/platform/onnx/graph.ts";

/** Enough rows that a classifier of a few classes gives more than one of them. */
const ROWS = 24;

/**
 * The graph's answers to made-up inputs. They show the true shapes of its outputs, and how its label fits its scores.
 * Undefined if the graph refuses the inputs. Rejects if they harm the process that runs them.
 */
export async function probe(
  graph: Graph,
  inputs: readonly TensorInfo[],
): Promise<Tensors | undefined> {
  const rows = rowsOfProbe(inputs);
  const names = graph.outputs.map(({ name }) => name);
  const externalData = graph.externalData.map((name) => ({
    name,
    source: { path: join(dirname(graph.path), name) },
  }));
  try {
    const bytes = graph.bytes ?? (await readFile(graph.path));
    const session = await nativeApart().load({ bytes }, externalData);
    try {
      const feeds = inputs.map((input) => {
        const texts = graph.view && categoriesOf(graph.view, input.name);
        return [input.name, madeUp(input, rows, texts)] as const;
      });
      const deadline = createDeadline(APART_MS, () => false);
      const run = session.run(Object.fromEntries(feeds), names, undefined, deadline.endsAt());
      return await deadline.within(run);
    } finally {
      await session.release();
    }
  } catch (cause) {
    const harm = harmOf(cause);
    if (harm === undefined) return undefined;
    throw new Error(
      `${graph.path}: a run with made-up inputs ${harm}. A request could do the same to a server.`,
      { cause },
    );
  }
}

/** Many rows, if the graph takes many. */
export function rowsOfProbe(inputs: readonly TensorInfo[]): number {
  return inputs.every(({ shape }) => shape[0] === -1) ? ROWS : 1;
}

function madeUp(
  { datatype, shape: declared }: TensorInfo,
  rows: number,
  texts: readonly string[] = ["a"],
): Tensor {
  const shape = declared.map((size, axis) => (axis === 0 ? rows : Math.abs(size)));
  const width = elementCount(shape.slice(1));
  const numbers = Array.from({ length: elementCount(shape) }, (_, index) =>
    madeUpNumber(Math.floor(index / width), index % width),
  );
  const data =
    datatype === "BYTES"
      ? numbers.map((_, index) => texts[index % texts.length] ?? "")
      : elements(datatype, numbers);
  return { datatype, shape, data };
}

/** Numbers of both signs and of several sizes. */
function madeUpNumber(row: number, column: number): number {
  return (((row * 7 + column * 13) % 29) - 9) * 10 ** ((row % 4) - 1);
}

function elements(datatype: Tensor["datatype"], numbers: readonly number[]): TensorData {
  if (datatype === "INT64") return BigInt64Array.from(numbers, (one) => BigInt(Math.round(one)));
  if (datatype === "UINT64")
    return BigUint64Array.from(numbers, (one) => BigInt(Math.abs(Math.round(one))));
  if (datatype === "BOOL") return Uint8Array.from(numbers, (one) => Number(one > 0));
  if (datatype === "FP32") return Float32Array.from(numbers);
  if (datatype === "FP64") return Float64Array.from(numbers);
  if (datatype === "FP16") return toHalfFloats(numbers);
  const { array } = DATATYPES[datatype];
  return (array as Int32ArrayConstructor).from(numbers, Math.round);
}
