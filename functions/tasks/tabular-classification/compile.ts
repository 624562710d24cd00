import type { ManifestOf } from "../../model/manifest.ts";
import type { Limits } from "../../model/limits.ts";
import { classificationAnswers } from "../classification/answers.ts";
import type { classificationOptions } from "../classification/options.ts";
import { tabularInputs } from "../tabular/inputs.ts";

export function compile(manifest: ManifestOf<typeof classificationOptions>, limits: Limits) {
  const inputs = tabularInputs(manifest, limits);
  const answers = classificationAnswers(manifest);
  const quantities = [...inputs.quantities, ...answers.quantities];
  return { ...inputs, ...answers, quantities };
}
