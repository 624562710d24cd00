import { NearcastError } from "../../errors.ts";
import { numbersOf, type Tensors } from "../../tensor.ts";
import { softmax } from "../softmax.ts";
import { isOneSided, type ClassificationManifest, type ScoresOptions } from "./options.ts";

/**
 * Reads the scores of each row: one for each label, or one decision value for two labels. Those of a row may lie where
 * the next row's will. Throws an Error when the manifest's output cannot hold them.
 */
export function scoresReader(manifest: ClassificationManifest, options: ScoresOptions) {
  const { name: model, labels = [], outputs } = manifest;
  const output = outputs.find(({ name }) => name === options.output);
  const count = labels.length;
  const width = output?.shape.length === 1 ? 1 : output?.shape[1];
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  if (
    !output ||
    !isFloat ||
    output.shape.slice(2).some((size) => size !== 1) ||
    (width !== count && !(width === 1 && count === 2))
  )
    throw new Error(
      `scores.output must name an FP32, FP64 or FP16 output of shape [-1, ${count}]${count === 2 ? ", [-1, 1] or [-1]" : ""}`,
    );
  if (width === 1 && options.activation === "softmax")
    throw new Error(
      "scores.activation softmax needs a number for each label; use sigmoid for one number",
    );
  const complete = completion(manifest, options, width);

  return (tensors: Tensors, rows: number): ((row: number) => ArrayLike<number>) => {
    const data = numbersOf(tensors[output.name]?.data);
    if (data?.length !== rows * width)
      throw new NearcastError(
        "model_corrupt",
        `Output ${output.name} of ${model} does not have ${width} scores a row.`,
      );
    // A view for each row would take as long as all else that is done for it.
    const own = new Float64Array(width);
    return (row) => {
      for (let at = 0; at < width; at++) own[at] = data[row * width + at] as number;
      return complete(own);
    };
  };
}

/** Gives the function that makes a row's scores from its numbers. */
function completion(
  manifest: ClassificationManifest,
  { activation, column = 1 }: ScoresOptions,
  width: number,
): (values: Float64Array) => ArrayLike<number> {
  const activate = ACTIVATIONS[activation];
  if (isOneSided(manifest)) return (values) => [activate(values)[width === 1 ? 0 : column] ?? 0];
  if (width === manifest.labels?.length) return activate;
  // With one probability for two labels, it is the second label's.
  return (values) => {
    const second = activate(values)[0] ?? 0;
    return [1 - second, second];
  };
}

const ACTIVATIONS = {
  none: (values: Float64Array): ArrayLike<number> => values,
  sigmoid: (values: Float64Array): ArrayLike<number> =>
    Array.from(values, (value) => 1 / (1 + Math.exp(-value))),
  softmax,
} as const;
