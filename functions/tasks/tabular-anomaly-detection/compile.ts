import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { answerNumber } from "../answer-numbers.ts";
import type { CompiledTask } from "../define.ts";
import { rowNumbers } from "../regression/row-numbers.ts";
import { tabularInputs } from "../tabular/inputs.ts";
import type { anomalyOptions } from "./options.ts";

/** Whether a row is unusual, and the graph's number that says so. */
export interface Anomaly {
  anomaly: boolean;
  score: number;
}

export function compile(manifest: ManifestOf<typeof anomalyOptions>, limits: Limits): CompiledTask {
  const { side, threshold } = manifest.anomaly;
  const numbers = rowNumbers(manifest, {
    field: "anomaly.output",
    output: manifest.anomaly.output,
  });
  const inputs = tabularInputs(manifest, limits);
  return {
    ...inputs,
    quantities: [
      ...inputs.quantities,
      answerNumber("score", (answer) => (answer as Anomaly).score),
    ],
    outputNames: [manifest.anomaly.output],
    postprocess: (outputs, { rows }) =>
      Array.from(numbers(outputs, rows), (score): Anomaly => ({
        anomaly: side === "below" ? score < threshold : score > threshold,
        score,
      })),
  };
}
