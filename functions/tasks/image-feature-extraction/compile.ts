import { NearcastError } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { elementCount, numbersOf, type Tensors } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import type { CompiledTask, Run, TaskVersion } from "../define.ts";
import { POOL, toUnitLength, type Numbers } from "../feature-extraction/pooling.ts";
import { vectorQuantities } from "../feature-extraction/quantities.ts";
import { imageInputs } from "../image/inputs.ts";
import type { imageOptions } from "../image/options.ts";
import type { imageVectorOptions } from "./options.ts";

type Options = typeof imageOptions & typeof imageVectorOptions;

export async function compile(version: TaskVersion<Options>): Promise<CompiledTask> {
  const inputs = await imageInputs(version);
  const vectors = vectorAnswers(version.manifest);
  return { ...inputs, ...vectors, quantities: [...inputs.quantities, ...vectors.quantities] };
}

function vectorAnswers({ name: model, outputs, vector }: ManifestOf<Options>) {
  const { pooling, normalize } = vector;
  const output = outputs.find(({ name }) => name === vector.output);
  if (!output || !["FP32", "FP64", "FP16"].includes(output.datatype))
    throw new Error("vector.output must name an FP32, FP64 or FP16 output");
  const declared = layoutOf(output.shape);
  if (!declared)
    throw new Error(
      `vector.output must be [-1, size], [-1, parts, size] or [-1, size, rows, columns]; ${output.name} is [${output.shape.join(", ")}]`,
    );
  if (declared.hasParts !== (pooling !== undefined))
    throw new Error(
      declared.hasParts
        ? `vector.pooling must say how the vectors of an image's parts become one: ${output.name} is [${output.shape.join(", ")}]`
        : `vector.pooling must be absent: ${output.name} has one vector for each image`,
    );
  if (pooling === "cls" && output.shape.length !== 3)
    throw new Error(`vector.pooling cls needs an output [-1, parts, size], with the class's first`);
  const { size, parts } = declared;

  function finish(numbers: ArrayLike<number>): number[] {
    return normalize ? toUnitLength(numbers) : Array.from(numbers);
  }

  return {
    outputNames: [output.name],
    quantities: pooling === "none" ? [] : vectorQuantities(size),
    answerBytes: ({ rows }: Run) =>
      rows * Math.max(1, size) * (pooling === "none" ? Math.max(1, parts) : 1) * NUMBER_BYTES,
    postprocess(tensors: Tensors, { rows }: Run): unknown[] {
      const made = tensors[output.name];
      const data = numbersOf(made?.data);
      const layout = made && layoutOf(made.shape);
      if (!data || !layout || made.shape[0] !== rows || layout.hasParts !== declared.hasParts)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${model} has another shape than its manifest says.`,
        );
      const width = data.length / rows;
      return Array.from({ length: rows }, (_, row) => {
        const numbers = data.subarray(row * width, (row + 1) * width);
        if (pooling === undefined) return finish(numbers);
        const each = layout.split(numbers);
        return pooling === "none" ? each.map(finish) : finish(POOL[pooling](each, layout.size));
      });
    },
  };
}

interface Layout {
  size: number;
  parts: number;
  hasParts: boolean;
  /** The vectors of an image's parts. */
  split(numbers: Numbers): Numbers[];
}

/** Undefined for a shape that holds no vectors. */
function layoutOf(shape: readonly number[]): Layout | undefined {
  const [, second = -1, third = -1] = shape;
  if (shape.length === 2 || (shape.length > 3 && shape.slice(2).every((one) => one === 1)))
    return { size: second, parts: 1, hasParts: false, split: whole };
  if (shape.length === 3)
    return {
      size: third,
      parts: second,
      hasParts: true,
      split: (numbers) =>
        Array.from({ length: second }, (_, at) => numbers.subarray(at * third, (at + 1) * third)),
    };
  if (shape.length !== 4) return undefined;
  const places = shape.slice(2).some((one) => one < 0) ? -1 : elementCount(shape.slice(2));
  return {
    size: second,
    parts: places,
    hasParts: true,
    // Feature by feature, and each over all places.
    split: (numbers) =>
      Array.from({ length: places }, (_, place) =>
        Float64Array.from({ length: second }, (_none, at) => numbers[at * places + place] ?? 0),
      ),
  };
}

function whole(numbers: Numbers): Numbers[] {
  return [numbers];
}
