import type { Limits } from "../../config.ts";
import type { Manifest } from "../../model/manifest.ts";
import { classificationAnswers } from "../classification/answers.ts";
import { tabularInputs } from "../tabular/inputs.ts";

/** Named features in, a label out. */
export function tabularClassification(manifest: Manifest, limits: Limits) {
  return { ...tabularInputs(manifest, limits), ...classificationAnswers(manifest) };
}
