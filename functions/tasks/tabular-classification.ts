import type { Manifest } from "../model/manifest.ts";
import { classificationAnswers } from "./classification.ts";
import { tabularInputs } from "./tabular.ts";

/** Named features in, a label out. */
export function tabularClassification(manifest: Manifest) {
  return { ...tabularInputs(manifest), ...classificationAnswers(manifest) };
}
