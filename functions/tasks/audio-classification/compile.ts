import { audioInputs } from "../audio/inputs.ts";
import type { audioOptions } from "../audio/options.ts";
import { classificationAnswers } from "../classification/answers.ts";
import type { classificationOptions } from "../classification/options.ts";
import type { TaskVersion } from "../define.ts";

export function compile(version: TaskVersion<typeof classificationOptions & typeof audioOptions>) {
  const inputs = audioInputs(version);
  const answers = classificationAnswers(version.manifest);
  return { ...answers, ...inputs, quantities: [...inputs.quantities, ...answers.quantities] };
}
