import type { Limits } from "../../model/limits.ts";
import { NearcastError } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { elementCount, numbersOf } from "../../tensor.ts";
import { answerNumber } from "../answer-numbers.ts";
import { tabularInputs } from "../tabular/inputs.ts";
import type { CompiledTask } from "../define.ts";
import type { regressionOptions } from "./options.ts";

export interface Regression {
  /** The predicted number. */
  value: number;
  /** Its unit, if the manifest has one. */
  unit?: string;
}

export function compile(
  manifest: ManifestOf<typeof regressionOptions>,
  limits: Limits,
): CompiledTask {
  const { regression } = manifest;
  const output = manifest.outputs.find(({ name }) => name === regression.output);
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  if (!output || !isFloat || Math.abs(elementCount(output.shape)) !== 1)
    throw new Error(
      "regression.output must name an FP32, FP64 or FP16 output of shape [-1, 1] or [-1]",
    );
  const unit = regression.unit === undefined ? {} : { unit: regression.unit };

  const inputs = tabularInputs(manifest, limits);
  return {
    ...inputs,
    quantities: [
      ...inputs.quantities,
      answerNumber("value", (answer) => (answer as Regression).value),
    ],
    outputNames: [output.name],
    postprocess(outputs, { rows }) {
      const data = numbersOf(outputs[output.name]?.data);
      if (data?.length !== rows)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${manifest.name} has ${data?.length ?? 0} numbers for ${rows} rows, and must have one for each. A model of several numbers a row is of the task tensor.`,
        );
      return Array.from(data, (value): Regression => ({ value, ...unit }));
    },
  };
}
