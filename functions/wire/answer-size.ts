import { NearcastError } from "../errors.ts";
import { isBatched, type Manifest } from "../model/manifest.ts";
import { DATATYPES, elementCount, type Datatype, type Tensor, type Tensors } from "../tensor.ts";
import { MOST_EMPTY } from "./nested.ts";

/** The bytes that an element counts in JSON, with its comma. Most floats have about 17 digits. */
const JSON_BYTES: Record<Datatype, number> = {
  BOOL: 6,
  INT8: 4,
  INT16: 6,
  INT32: 8,
  INT64: 8,
  UINT8: 4,
  UINT16: 6,
  UINT32: 8,
  UINT64: 8,
  FP16: 14,
  FP32: 20,
  FP64: 20,
  // The quotes and the comma. The text between the quotes is added.
  BYTES: 3,
};

/** The bytes that a number with a fraction counts in JSON. */
export const NUMBER_BYTES = JSON_BYTES.FP32;

/** Whether an output is written in binary. */
type IsBinary = (output: string) => boolean;

type Sized = Pick<Tensor, "datatype" | "shape"> & { data?: Tensor["data"] };

/** About how many bytes tensors take as JSON, or in the binary tensor extension. */
export function bytesOfTensors(tensors: Record<string, Sized>, isBinary?: IsBinary): number {
  let bytes = 0;
  for (const name in tensors) bytes += bytesOf(tensors[name] as Sized, isBinary?.(name) ?? false);
  return bytes;
}

/**
 * The outputs of a run, as far as their shapes are known before it. A dimension of unknown size counts as 1. For inputs
 * of tokens, a free dimension has as many as there are tokens.
 */
export function expectedOutputs(
  manifest: Manifest,
  outputNames: readonly string[],
  { feeds, isTokens }: { feeds: Tensors; isTokens: boolean },
): Record<string, Sized> {
  const shapes = manifest.inputs
    .filter((input) => isBatched(manifest, input))
    .map(({ name }) => feeds[name]?.shape ?? []);
  const rows = Math.max(1, ...shapes.map(([size = 1]) => size));
  const tokens = isTokens ? Math.max(1, ...shapes.map(([, size = 1]) => size)) : 1;
  const expected: Record<string, Sized> = {};
  for (const output of manifest.outputs)
    if (outputNames.includes(output.name))
      expected[output.name] = {
        datatype: output.datatype,
        shape: output.shape.map((size, axis) => {
          if (size !== -1) return size;
          return axis === 0 && isBatched(manifest, output) ? rows : tokens;
        }),
      };
  return expected;
}

/** Throws `answer_too_large` when the bytes of an answer are more than `limit`. `advice` says what makes it shorter. */
export function checkAnswerBytes(
  bytes: number,
  limit: number,
  advice = "Ask for fewer rows at once, fewer outputs or a smaller top_k.",
): void {
  if (bytes > limit)
    throw new NearcastError(
      "answer_too_large",
      `The answer would have about ${Math.round(bytes)} bytes; at most ${limit} are sent (MAX_ANSWER_BYTES, or the model's limits.answerBytes). ${advice}`,
    );
}

function bytesOf({ datatype, shape, data }: Sized, binary: boolean): number {
  const count = elementCount(shape);
  // An empty tensor is still written, as empty arrays. Too many of them are refused elsewhere.
  if (count === 0 && !binary)
    return 3 * Math.min(elementCount(shape.slice(0, shape.indexOf(0))), MOST_EMPTY);
  const each = binary ? DATATYPES[datatype].bytes || 4 : JSON_BYTES[datatype];
  const texts = datatype === "BYTES" && data ? lengthOf(data as string[]) : 0;
  return count * each + texts;
}

function lengthOf(texts: readonly string[]): number {
  let length = 0;
  for (const text of texts) length += text.length;
  return length;
}
