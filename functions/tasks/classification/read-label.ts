import { NearcastError } from "../../errors.ts";
import type { Tensors } from "../../tensor.ts";
import { hasIndependentLabels, type ClassificationManifest, type LabelOptions } from "./options.ts";

/**
 * Reads the labels of each row, as indexes: one label, or any number of independent labels. Throws an Error when the
 * manifest's output cannot hold them.
 */
export function labelReader(
  manifest: ClassificationManifest,
  { output: name, values }: LabelOptions,
): (tensors: Tensors, rows: number) => number[][] {
  const { labels = [], outputs } = manifest;
  const output = outputs.find((one) => one.name === name);
  const independent = hasIndependentLabels(manifest);
  const single =
    output?.shape.length === 1 || (output?.shape.length === 2 && output.shape[1] === 1);
  if (!output || output.datatype === "FP16" || !(single || independent))
    throw new Error(
      `label.output: ${output ? `${name} is ${output.datatype} of shape [${output.shape.join(", ")}]` : `the graph has no output ${name}`}; it must have one label a row, [-1] or [-1, 1], or for independent labels [-1, ${labels.length}]. Add a Reshape to the graph for a shape such as [1, -1]`,
    );
  if (values && (independent || values.length !== labels.length))
    throw new Error(
      independent
        ? "label.values does not go with independent labels: each of them is true or false"
        : `label.values must have ${labels.length} values, one for each of labels`,
    );
  const known = new Map((values ?? labels).map((value, index) => [String(value), index]));
  const width = independent ? labels.length : 1;

  return (tensors, rows) => {
    const data = tensors[name]?.data;
    if (data?.length !== rows * width)
      throw new NearcastError(
        "model_corrupt",
        `Output ${name} of ${manifest.name} does not have ${width === 1 ? "one label" : `${width} labels`} a row.`,
      );
    const written = Array.from(data as ArrayLike<unknown>, String);
    if (independent) {
      const odd = written.find((value) => value !== "0" && value !== "1");
      if (odd !== undefined)
        throw new NearcastError(
          "model_corrupt",
          `Output ${name} of ${manifest.name} says ${odd}; of independent labels it says 0 or 1 for each.`,
        );
      return Array.from({ length: rows }, (_, row) =>
        labels
          .map((_label, index) => index)
          .filter((index) => written[row * width + index] === "1"),
      );
    }
    return written.map((value) => {
      const index = known.get(value);
      if (index === undefined)
        throw new NearcastError(
          "model_corrupt",
          `Output ${name} of ${manifest.name} says ${JSON.stringify(value)}, which is none of its labels.`,
        );
      return [index];
    });
  };
}
