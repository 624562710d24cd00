import type { Limits } from "../../model/limits.ts";
import { NearcastError } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf, type Tensor } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { textInputs } from "../text/inputs.ts";
import { MAX_NUMBERS } from "../check-tensors.ts";
import type { Assets, CompiledTask } from "../define.ts";
import type { textOptions } from "../text/options.ts";
import { POOL } from "./pooling.ts";
import { vectorQuantities } from "./quantities.ts";
import { sparse, sparseBytes, splade } from "./sparse.ts";

/**
 * Turns a text into numbers, from the graph's first output. If that is `[rows, size]`, the answer is the row's vector.
 * If it is `[rows, tokens, size]`, `text.pooling` says how the tokens' vectors become one; `none` keeps all of them, and
 * `splade` makes sparse ones. `text.normalize` scales vectors to length 1. After that, `text.dimensions` cuts them off.
 */
export function compile(
  manifest: ManifestOf<typeof textOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask {
  const output = manifest.outputs[0];
  const { pooling = "mean", normalize = false, dimensions } = manifest.text ?? {};
  const rank = output?.shape.length;
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  if (!output || !isFloat || (rank !== 2 && rank !== 3))
    throw new Error(
      `the first output must be FP32, FP64 or FP16 of shape [-1, size] or [-1, -1, size]${output ? `; ${output.name} is ${output.datatype} [${output.shape.join(", ")}]` : ""}`,
    );
  if (rank === 3 && !manifest.text) throw new Error("an output of token vectors needs text");
  const width = output.shape[rank - 1] ?? -1;
  if (dimensions !== undefined && width >= 0 && width < dimensions)
    throw new Error(`text.dimensions must not be more than the ${width} numbers of a vector`);
  const finish = (vector: ArrayLike<number>) =>
    (normalize ? toUnitLength(vector) : Array.from(vector)).slice(0, dimensions);

  const isSparse = pooling === "splade";
  if (isSparse && (normalize || dimensions !== undefined))
    throw new Error("text.pooling splade goes without text.normalize and text.dimensions");
  if (isSparse && width <= 0)
    throw new Error(
      `text.pooling splade needs the vocabulary's size in the shape of ${output.name}`,
    );

  // With splade, the output has as many numbers for each token as the vocabulary has tokens.
  const inputs = textInputs(
    manifest,
    limits,
    assets,
    isSparse ? { tokensPerRun: Math.floor(MAX_NUMBERS / width) } : {},
  );
  return {
    ...inputs,
    quantities: [...inputs.quantities, ...(isSparse ? [] : vectorQuantities())],
    outputNames: [output.name],
    ...(isSparse
      ? { madeBytes: sparseBytes }
      : {
          answerBytes({ rows, tokens = rows }) {
            const vectors = rank === 3 && pooling === "none" ? tokens : rows;
            return vectors * Math.min(Math.max(width, 1), dimensions ?? Infinity) * NUMBER_BYTES;
          },
        }),
    postprocess(outputs, { feeds, rows }) {
      const made = outputs[output.name];
      const mask = maskOf(feeds, rows);
      const data = numbersOf(made?.data);
      if (
        !made ||
        !data ||
        made.shape.length !== rank ||
        made.shape[0] !== rows ||
        (rank === 3 && made.shape[1] !== mask.width)
      )
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${manifest.name} has another shape than its manifest says.`,
        );
      const size = made.shape[rank - 1] ?? 0;
      const vector = (index: number) => data.subarray(index * size, (index + 1) * size);
      return Array.from({ length: rows }, (_, row) => {
        if (rank === 2) return isSparse ? sparse(vector(row)) : finish(vector(row));
        const tokens = mask.positions(row).map((token) => vector(row * mask.width + token));
        if (isSparse) return splade(tokens, size);
        if (pooling === "none") return tokens.map((token) => finish(token));
        return finish(POOL[pooling](tokens, size));
      });
    },
  };
}

/** Which positions of each row are tokens; the others are padding. */
function maskOf(feeds: Record<string, Tensor>, rows: number) {
  const tensor = feeds["attention_mask"] ?? feeds["input_ids"];
  const width = (tensor?.data.length ?? 0) / rows;
  const masked = feeds["attention_mask"]?.data;
  return {
    width,
    positions: (row: number) =>
      Array.from({ length: width }, (_, token) => token).filter(
        (token) => !masked || masked[row * width + token] === 1n,
      ),
  };
}

function toUnitLength(vector: ArrayLike<number>): number[] {
  const values = Array.from(vector);
  const length = Math.hypot(...values);
  return length === 0 ? values : values.map((value) => Math.fround(value / length));
}
