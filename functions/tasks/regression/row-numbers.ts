import { NearcastError } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import { elementCount, numbersOf, type Tensors } from "../../tensor.ts";

/**
 * Reads an output with `width` numbers for each row. Throws an Error where the manifest has no such output. What it gives
 * throws `model_corrupt` where the graph gives another count.
 */
export function rowNumbers(
  manifest: Manifest,
  { field, output: name, width = 1 }: { field: string; output: string; width?: number },
): (outputs: Tensors, rows: number) => ArrayLike<number> {
  const output = manifest.outputs.find((one) => one.name === name);
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  if (!output || !isFloat || Math.abs(elementCount(output.shape)) !== width)
    throw new Error(
      `${field} must name an FP32, FP64 or FP16 output of shape ${width === 1 ? "[-1, 1] or [-1]" : `[-1, ${width}]`}`,
    );
  return (outputs, rows) => {
    const data = numbersOf(outputs[name]?.data);
    if (data?.length === rows * width) return data;
    throw new NearcastError(
      "model_corrupt",
      `Output ${name} of ${manifest.name} has ${data?.length ?? 0} numbers for ${rows} rows, and must have ${width} for each.`,
    );
  };
}
