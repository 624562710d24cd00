import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import type { Assets, CompiledTask } from "../define.ts";
import { regressionAnswers, regressionQuantities } from "../regression/answers.ts";
import { rowNumbers } from "../regression/row-numbers.ts";
import { textInputs } from "../text/inputs.ts";
import type { textRegressionOptions } from "./options.ts";

export function compile(
  manifest: ManifestOf<typeof textRegressionOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask {
  const { labels, regression } = manifest;
  const width = labels?.length ?? 1;
  const { output } = regression;
  const numbers = rowNumbers(manifest, { field: "regression.output", output, width });
  const rowBytes = JSON.stringify(labels ?? "value").length + width * NUMBER_BYTES;
  const finish = ACTIVATIONS[regression.activation];

  const inputs = textInputs(manifest, limits, assets);
  return {
    ...inputs,
    quantities: [...inputs.quantities, ...regressionQuantities(labels)],
    outputNames: [output],
    answerBytes: ({ rows }) => rows * rowBytes,
    postprocess: (outputs, { rows }) =>
      regressionAnswers(labels, Array.from(numbers(outputs, rows), finish)),
  };
}

const ACTIVATIONS = {
  none: (value: number): number => value,
  sigmoid: (value: number) => 1 / (1 + Math.exp(-value)),
} as const;
