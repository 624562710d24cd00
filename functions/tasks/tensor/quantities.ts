import type { Manifest, TensorInfo } from "../../model/manifest.ts";
import type { Quantity } from "../define.ts";
import { numbersOf } from "../../tensor.ts";

/** So many numbers of a tensor are enough for its mean. */
const MOST_NUMBERS = 1024;

/** The means of tensors of floats. Others, such as ids, have none that says anything. */
export function tensorQuantities({ inputs, outputs }: Manifest): Quantity[] {
  return [
    ...inputs.filter(isFloat).map(({ name }): Quantity => ({
      name: `${name}.mean`,
      of: "input",
      kind: "number",
      each({ runs }, take) {
        for (const { feeds } of runs) {
          const numbers = numbersOf(feeds[name]?.data);
          if (numbers) take(meanOf(numbers));
        }
      },
    })),
    ...outputs.filter(isFloat).map(({ name }): Quantity => ({
      name: `prediction.${name}.mean`,
      of: "prediction",
      kind: "number",
      each({ answers = [] }, take) {
        for (const answer of answers) take(meanOf(flat((answer as Record<string, unknown>)[name])));
      },
    })),
  ];
}

function isFloat({ datatype }: TensorInfo): boolean {
  return datatype.startsWith("FP");
}

function flat(nested: unknown): ArrayLike<number> {
  return (Array.isArray(nested) ? nested.flat(Infinity) : [nested]) as number[];
}

function meanOf(numbers: ArrayLike<number>): number {
  const step = Math.max(1, Math.floor(numbers.length / MOST_NUMBERS)) | 1;
  let sum = 0;
  let count = 0;
  for (let at = 0; at < numbers.length; at += step, count++) sum += Number(numbers[at]);
  return sum / count;
}
