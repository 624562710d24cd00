import { NearcastError } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import { numbersOf, type Tensors } from "../../tensor.ts";
import { audioInputs } from "../audio/inputs.ts";
import type { audioOptions } from "../audio/options.ts";
import { classificationAnswers } from "../classification/answers.ts";
import type { classificationOptions } from "../classification/options.ts";
import type { TaskVersion } from "../define.ts";

export function compile(version: TaskVersion<typeof classificationOptions & typeof audioOptions>) {
  const inputs = audioInputs(version);
  const answers = classificationAnswers(version.manifest);
  return {
    ...answers,
    ...inputs,
    postprocess(...given: Parameters<typeof answers.postprocess>) {
      checkNumbers(version.manifest, given[0]);
      return answers.postprocess(...given);
    },
    quantities: [...inputs.quantities, ...answers.quantities],
  };
}

/** A model that overflows would answer with scores of null. */
function checkNumbers({ name }: Manifest, outputs: Tensors): void {
  for (const { data } of Object.values(outputs))
    if (numbersOf(data)?.some((value) => !Number.isFinite(value)))
      throw new NearcastError("model_corrupt", `The model ${name} answers with no numbers.`);
}
