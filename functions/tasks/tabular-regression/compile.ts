import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import type { CompiledTask } from "../define.ts";
import { regressionAnswers, regressionQuantities } from "../regression/answers.ts";
import { rowNumbers } from "../regression/row-numbers.ts";
import { tabularInputs } from "../tabular/inputs.ts";
import type { regressionOptions } from "./options.ts";

export function compile(
  manifest: ManifestOf<typeof regressionOptions>,
  limits: Limits,
): CompiledTask {
  const {
    labels,
    regression: { output, unit },
  } = manifest;
  const width = labels?.length ?? 1;
  const numbers = rowNumbers(manifest, { field: "regression.output", output, width });
  const rowBytes = JSON.stringify(labels ?? "value").length + width * NUMBER_BYTES;
  const inputs = tabularInputs(manifest, limits);
  return {
    ...inputs,
    quantities: [...inputs.quantities, ...regressionQuantities(labels)],
    outputNames: [output],
    ...(labels && { answerBytes: ({ rows }) => rows * rowBytes }),
    postprocess(outputs, { rows }) {
      const answers = regressionAnswers(labels, numbers(outputs, rows));
      return unit === undefined ? answers : answers.map((answer) => ({ ...answer, unit }));
    },
  };
}
