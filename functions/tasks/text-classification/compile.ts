import type { Limits } from "../../config.ts";
import type { Manifest } from "../../model/manifest.ts";
import { classificationAnswers } from "../classification/answers.ts";
import { textInputs } from "../text/inputs.ts";
import type { Assets } from "../define.ts";

/** A text in, a label out. */
export function textClassification(manifest: Manifest, limits: Limits, assets: Assets) {
  return { ...textInputs(manifest, limits, assets), ...classificationAnswers(manifest) };
}
