import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { classificationAnswers } from "../classification/answers.ts";
import type { classificationOptions } from "../classification/options.ts";
import type { Assets } from "../define.ts";
import { textInputs } from "../text/inputs.ts";
import type { textOptions } from "../text/options.ts";

type Options = typeof classificationOptions & typeof textOptions;

export function compile(manifest: ManifestOf<Options>, limits: Limits, assets: Assets) {
  const inputs = textInputs(manifest, limits, assets);
  const answers = classificationAnswers(manifest);
  const quantities = [...inputs.quantities, ...answers.quantities];
  return { ...inputs, ...answers, quantities };
}
