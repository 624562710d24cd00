import type { Limits } from "../../model/limits.ts";
import { NearcastError } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { elementCount } from "../../tensor.ts";
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
  if (
    !output ||
    (output.datatype !== "FP32" && output.datatype !== "FP64") ||
    Math.abs(elementCount(output.shape)) !== 1
  )
    throw new Error("regression.output must name an FP32 or FP64 output of shape [-1, 1] or [-1]");
  const unit = regression.unit === undefined ? {} : { unit: regression.unit };

  return {
    ...tabularInputs(manifest, limits),
    outputNames: [output.name],
    postprocess(outputs, { rows }) {
      const data = outputs[output.name]?.data;
      const numbers = data instanceof Float32Array || data instanceof Float64Array;
      if (!numbers || data.length !== rows)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${manifest.name} has not one number a row.`,
        );
      return Array.from(data, (value): Regression => ({ value, ...unit }));
    },
  };
}
