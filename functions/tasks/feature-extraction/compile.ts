import type { Limits } from "../../model/limits.ts";
import { invalidInput, NearcastError } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf, type Tensor, type Tensors } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { textInputs } from "../text/inputs.ts";
import { MAX_NUMBERS } from "../check-tensors.ts";
import type { Assets, CompiledTask, Parts, PreprocessOptions, Run } from "../define.ts";
import type { textOptions } from "../text/options.ts";
import { formProblem, quantized, type VectorForm } from "./forms.ts";
import { POOL, toUnitLength } from "./pooling.ts";
import { vectorQuantities } from "./quantities.ts";
import { sparse, sparseBytes, splade } from "./sparse.ts";

/** It makes no promises: what it does is done at once, or in parts. */
interface VectorTask extends CompiledTask<VectorForm & { prompt_name?: string | undefined }> {
  preprocess(
    rows: readonly unknown[],
    options: PreprocessOptions<VectorForm & { prompt_name?: string | undefined }>,
  ): Run[] | Parts<Run[]>;
  postprocess(outputs: Tensors, run: Run, form: VectorForm): unknown[];
}

/**
 * Turns a text into numbers, from the graph's first output. If that is `[rows, size]`, the answer is the row's vector.
 * If it is `[rows, tokens, size]`, `text.pooling` says how the tokens' vectors become one; `none` keeps all of them, and
 * `splade` makes sparse ones. `text.normalize` scales vectors to length 1. After that, `text.dimensions` cuts them off, and a request may want another
 * form of them.
 */
export function compile(
  manifest: ManifestOf<typeof textOptions>,
  limits: Limits,
  assets: Assets,
): VectorTask {
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
  const size = width < 0 ? -1 : Math.min(width, dimensions ?? Infinity);
  const ranges = manifest.text?.ranges;
  if (ranges && size >= 0 && ranges.some(({ length }) => length !== size))
    throw new Error(`text.ranges must have two lists of ${size} numbers, as many as a vector has`);

  function checkForm(form: VectorForm, count: number): void {
    const problem = formProblem(manifest.text, count, form);
    if (problem) throw invalidInput([{ path: `parameters.${problem[0]}`, message: problem[1] }]);
  }

  function finish(vector: ArrayLike<number>, form: VectorForm): number[] {
    const whole = (normalize ? toUnitLength(vector) : Array.from(vector)).slice(0, dimensions);
    if (size < 0) checkForm(form, whole.length);
    const cut = whole.slice(0, form.dimensions ?? Infinity);
    const made = normalize && cut.length < whole.length ? toUnitLength(cut) : cut;
    return quantized(made, form.precision, ranges);
  }

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
    quantities: [...inputs.quantities, ...(isSparse ? [] : vectorQuantities(size))],
    preprocess(rows, options) {
      checkForm(options.parameters, size);
      return inputs.preprocess(rows, options);
    },
    outputNames: [output.name],
    ...(isSparse
      ? { madeBytes: sparseBytes }
      : {
          answerBytes({ rows, tokens = rows }: Run, form: VectorForm) {
            const vectors = rank === 3 && pooling === "none" ? tokens : rows;
            return (
              vectors * Math.min(Math.max(size, 1), form.dimensions ?? Infinity) * NUMBER_BYTES
            );
          },
        }),
    postprocess(outputs, { feeds, rows }, form) {
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
      const numbers = made.shape[rank - 1] ?? 0;
      const vector = (index: number) => data.subarray(index * numbers, (index + 1) * numbers);
      return Array.from({ length: rows }, (_, row) => {
        if (rank === 2) return isSparse ? sparse(vector(row)) : finish(vector(row), form);
        const tokens = mask.positions(row).map((token) => vector(row * mask.width + token));
        if (isSparse) return splade(tokens, numbers);
        if (pooling === "none") return tokens.map((token) => finish(token, form));
        return finish(POOL[pooling](tokens, numbers), form);
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
