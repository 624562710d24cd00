import * as z from "zod";
import type { Limits } from "../../config.ts";
import { NearcastError } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import { elementCount } from "../../tensor.ts";
import { tabularInputs } from "../tabular/inputs.ts";
import { parseParameters, type CompiledTask } from "../define.ts";

export interface Regression {
  /** The predicted number. */
  value: number;
  /** What it counts, where the manifest says so. */
  unit?: string;
}

const noParameters = z.strictObject({});

/** Named features in, a number out: `{"value": 151.3}`, with the manifest's unit. */
export function tabularRegression(manifest: Manifest, limits: Limits): CompiledTask {
  const { regression } = manifest;
  if (!regression) throw new Error(`task ${manifest.task} needs regression`);
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
    postprocessor(given) {
      parseParameters(noParameters, given);
      return (outputs, { rows }) => {
        const data = outputs[output.name]?.data;
        const numbers = data instanceof Float32Array || data instanceof Float64Array;
        if (!numbers || data.length !== rows)
          throw new NearcastError(
            "model_corrupt",
            `Output ${output.name} of ${manifest.name} has not one number a row.`,
          );
        return Array.from(data, (value): Regression => ({ value, ...unit }));
      };
    },
  };
}
