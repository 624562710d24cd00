import { invalidInput, type InputIssue } from "../errors.ts";
import { elementCount, type Tensor, type Tensors } from "../tensor.ts";
import type { Limits } from "../model/limits.ts";
import { isBatched, type Manifest, type TensorInfo } from "../model/manifest.ts";

/**
 * A graph that splits texts gives each of them as many tokens as the longest one has. This many characters are
 * some 80 MB. One long text among a thousand short ones would be gigabytes.
 */
export const MAX_PADDED_CHARACTERS = 4_000_000;

/** The longest dimension that ONNX Runtime takes. */
const LONGEST_DIMENSION = 2 ** 31 - 1;

/**
 * Throws `invalid_input` unless the tensors are the manifest's inputs, in name, datatype and shape, and
 * within the model's limits.
 */
export function checkInputs(
  { manifest, limits }: { manifest: Manifest; limits: Limits },
  tensors: Tensors,
): void {
  const issues: InputIssue[] = [];
  for (const name of Object.keys(tensors))
    if (!manifest.inputs.some((input) => input.name === name))
      issues.push({ path: `inputs.${name}`, message: `is not an input of ${manifest.name}` });
  for (const input of manifest.inputs) {
    const given = Object.hasOwn(tensors, input.name) ? tensors[input.name] : undefined;
    const message = given ? mismatch({ manifest, limits }, input, given) : "is missing";
    if (message) issues.push({ path: `inputs.${input.name}`, message });
  }
  if (issues.length > 0) throw invalidInput(issues);
}

/** The outputs to compute. Throws `invalid_input` for a name that the manifest does not have. */
export function checkOutputNames(
  manifest: Manifest,
  names: readonly string[] = [],
): readonly string[] {
  if (names.length === 0) return manifest.outputs.map(({ name }) => name);
  const unknown = names.filter((name) => !manifest.outputs.some((output) => output.name === name));
  if (unknown.length > 0)
    throw invalidInput(
      unknown.map((name) => ({
        path: `outputs.${name}`,
        message: `is not an output of ${manifest.name}`,
      })),
    );
  return names;
}

/** What is wrong with a tensor for an input, in words: datatype, shape or size. Undefined when it is right. */
export function mismatch(
  { manifest, limits }: { manifest: Manifest; limits: Limits },
  input: TensorInfo,
  given: Tensor,
): string | undefined {
  if (given.datatype !== input.datatype)
    return `must have datatype ${input.datatype}, has ${given.datatype}`;
  const fits =
    given.shape.length === input.shape.length &&
    given.shape.every(
      (size, axis) =>
        size <= LONGEST_DIMENSION && (input.shape[axis] === -1 || input.shape[axis] === size),
    );
  if (!fits) return `must have shape [${input.shape.join(", ")}], has [${given.shape.join(", ")}]`;
  const count = elementCount(given.shape);
  if (given.data.length !== count)
    return `has ${given.data.length} elements, its shape [${given.shape.join(", ")}] holds ${count}`;
  if (isBatched(manifest, input) && (given.shape[0] ?? 0) > limits.batch)
    return `must have at most ${limits.batch} rows, has ${given.shape[0]}. If its first dimension is no batch, "batchDimension": null in the manifest says so`;
  if (given.datatype === "BYTES" && longest(given.data as string[]) > limits.textLength)
    return `must have elements of at most ${limits.textLength} characters`;
  if (given.datatype === "BYTES" && paddedLength(given.data as string[]) > MAX_PADDED_CHARACTERS)
    return `must have fewer elements, or shorter ones: their number times the longest may be ${MAX_PADDED_CHARACTERS}`;
  return undefined;
}

function paddedLength(texts: readonly string[]): number {
  return texts.length * longest(texts);
}

function longest(texts: readonly string[]): number {
  return texts.reduce((length, text) => Math.max(length, text.length), 0);
}
