import { classificationAnswers } from "../classification/answers.ts";
import type { classificationOptions } from "../classification/options.ts";
import type { TaskVersion } from "../define.ts";
import { imageInputs } from "../image/inputs.ts";
import type { imageOptions } from "../image/options.ts";

export async function compile(
  version: TaskVersion<typeof classificationOptions & typeof imageOptions>,
) {
  const inputs = await imageInputs(version);
  const answers = classificationAnswers(version.manifest);
  return {
    ...answers,
    ...inputs,
    spendsTensors: true,
    quantities: [...inputs.quantities, ...answers.quantities],
  };
}
