import { NearcastError } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { answerNumber } from "../answer-numbers.ts";
import type { Assets, CompiledTask, Quantity } from "../define.ts";
import { textInputs } from "../text/inputs.ts";
import type { textRegressionOptions } from "./options.ts";

/** One number, or with `labels` one number for each label. */
export type TextRegression = { value: number } | { values: Record<string, number> };

export function compile(
  manifest: ManifestOf<typeof textRegressionOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask {
  const { labels, regression } = manifest;
  const width = labels?.length ?? 1;
  const output = manifest.outputs.find(({ name }) => name === regression.output);
  const fits = output?.shape.length === 2 && output.shape[1] === width;
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  if (!output || !isFloat || !fits)
    throw new Error(
      `regression.output must name an FP32, FP64 or FP16 output of shape [-1, ${width}]`,
    );
  const rowBytes = JSON.stringify(labels ?? "value").length + width * NUMBER_BYTES;
  const finish = ACTIVATIONS[regression.activation];

  const inputs = textInputs(manifest, limits, assets);
  return {
    ...inputs,
    quantities: [...inputs.quantities, ...numbersOfAnswers(labels)],
    outputNames: [output.name],
    answerBytes: ({ rows }) => rows * rowBytes,
    postprocess(outputs, { rows }) {
      const data = numbersOf(outputs[output.name]?.data);
      if (data?.length !== rows * width)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${manifest.name} does not have ${width} numbers a row.`,
        );
      return Array.from({ length: rows }, (_, row): TextRegression => {
        const numbers = Array.from(data.subarray(row * width, (row + 1) * width), finish);
        return labels
          ? { values: Object.fromEntries(labels.map((label, at) => [label, numbers[at] ?? NaN])) }
          : { value: numbers[0] ?? NaN };
      });
    },
  };
}

function numbersOfAnswers(labels: readonly string[] | undefined): Quantity[] {
  if (!labels) return [answerNumber("value", (answer) => (answer as { value: number }).value)];
  return labels.map((label) =>
    answerNumber(label, (answer) => (answer as { values: Record<string, number> }).values[label]),
  );
}

const ACTIVATIONS = {
  none: (value: number): number => value,
  sigmoid: (value: number) => 1 / (1 + Math.exp(-value)),
} as const;
