import type { Limits } from "../config.ts";
import type { Manifest } from "../model/manifest.ts";
import { classificationAnswers } from "./classification.ts";
import { textInputs } from "./text.ts";
import type { Assets } from "./types.ts";

/** A text in, a label out. */
export function textClassification(manifest: Manifest, limits: Limits, assets: Assets) {
  return { ...textInputs(manifest, limits, assets), ...classificationAnswers(manifest) };
}
