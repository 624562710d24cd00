import { invalidInput, type InputIssue } from "../errors.ts";
import { elementCount, type Tensor, type Tensors } from "../tensor.ts";
import type { Limits } from "../model/limits.ts";
import { isBatched, type InputInfo, type Manifest } from "../model/manifest.ts";
import type { CompiledTask } from "./define.ts";
import { excessOf } from "./excess.ts";
import { createTextBudget } from "./text-budget.ts";

/**
 * The most characters of a run of texts, padded to the longest. A graph that splits texts gives each as many tokens as
 * the longest one has. This many characters take about 80 MB. One long text among a thousand short ones would take
 * gigabytes.
 */
export const MAX_PADDED_CHARACTERS = 4_000_000;

/**
 * The most tokens of a run, padding included. All rows of a run are padded to its longest. Without this bound, one long
 * text would make many short ones as long as itself.
 */
export const MAX_TOKENS_PER_RUN = 8192;

/**
 * The most numbers that a task makes from one request: 64 MB. All runs of a request wait in memory. An image or a
 * basket of a few bytes becomes as large as the graph's input.
 */
export const MAX_NUMBERS = 16_000_000;

/** A model's inputs, and their limits. */
export interface Checked {
  manifest: Manifest;
  limits: Limits;
  compiled?: Pick<CompiledTask, "maxTokens" | "maxSamples">;
}

/** The longest dimension that ONNX Runtime takes. */
const LONGEST_DIMENSION = 2 ** 31 - 1;

/**
 * Throws `invalid_input` unless the tensors are the manifest's inputs, in name, datatype and shape, and
 * within the model's limits.
 */
export function checkInputs(checked: Checked, tensors: Tensors): void {
  const { manifest, limits } = checked;
  const issues: InputIssue[] = [];
  for (const name of Object.keys(tensors))
    if (!manifest.inputs.some((input) => input.name === name))
      issues.push({ path: `inputs.${name}`, message: `is not an input of ${manifest.name}` });
  for (const input of manifest.inputs) {
    const given = Object.hasOwn(tensors, input.name) ? tensors[input.name] : undefined;
    const message = given ? mismatch(checked, input, given) : "is missing";
    if (message) issues.push({ path: `inputs.${input.name}`, message });
  }
  const message = tooManyElements(limits, [tensors]);
  if (message) issues.push({ path: "inputs", message });
  if (issues.length > 0) throw invalidInput(issues);
}

/** Throws `invalid_input` when the texts of a request have more characters than the bytes that came pay for. */
export function checkTexts(
  runs: readonly { feeds: Tensors }[],
  sentBytes: number | undefined,
): void {
  const budget = createTextBudget(sentBytes);
  for (const { feeds } of runs)
    for (const name in feeds) {
      const { datatype, data } = feeds[name] as Tensor;
      if (datatype !== "BYTES") continue;
      const characters = (data as string[]).reduce((sum, text) => sum + text.length, 0);
      try {
        budget.takeCharacters(characters);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw invalidInput([{ path: `inputs.${name}`, message: error.message }]);
      }
    }
}

/** The outputs to compute. Throws `invalid_input` for a name that is not in the manifest. */
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

/** What is wrong with the number of elements of a request, in words. Undefined when it is right. */
export function tooManyElements({ elements }: Limits, all: readonly Tensors[]): string | undefined {
  let count = 0;
  for (const tensors of all) for (const name in tensors) count += tensors[name]?.data.length ?? 0;
  return count > elements
    ? `have ${count} elements; a request may have ${elements} (MAX_ELEMENTS, or the model's limits.elements)`
    : undefined;
}

/** What is wrong with a tensor's datatype, shape or size, in words. Undefined when all are right. */
export function mismatch(
  { manifest, limits, compiled }: Checked,
  input: InputInfo,
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
    return `must have at most ${limits.batch} rows, has ${given.shape[0]}. If its first dimension is not a batch, set "batchDimension": null in the manifest`;
  const excess = excessOf(input, given.shape, {
    isBatched: isBatched(manifest, input),
    maxPairs: limits.positionPairs,
    maxTokens: compiled?.maxTokens,
    maxSamples: compiled?.maxSamples,
  });
  if (excess !== undefined) return excess;
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
