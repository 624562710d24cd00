import type { ManifestOf } from "../../model/manifest.ts";
import type { Tensors } from "../../tensor.ts";
import { MAX_TOKENS_PER_RUN } from "../check-tensors.ts";
import type { Run } from "../define.ts";
import type { textOptions } from "./options.ts";
import type { Encoding, Padding } from "./tokenizer.ts";

const NAMES = ["input_ids", "attention_mask", "token_type_ids"] as const;
type TokenInput = (typeof NAMES)[number];

/**
 * Makes runs of encoded texts: INT64 `[rows, tokens]` for each input of the graph. For a graph with a fixed number of
 * tokens, pads all rows to it. A run has at most `tokensPerRun` and {@link MAX_TOKENS_PER_RUN} tokens, padding
 * included, as long as it has several rows. Throws an Error when the graph takes other inputs.
 */
export function tokenBatcher(
  { task, inputs, text }: ManifestOf<typeof textOptions>,
  padding: Padding,
  tokensPerRun = Infinity,
): (encodings: readonly Encoding[]) => Run[] {
  const names = inputs.map(({ name }) => name as TokenInput);
  const fixed = inputs[0]?.shape[1] ?? -1;
  const mostTokens = Math.min(tokensPerRun, MAX_TOKENS_PER_RUN);
  for (const { name, datatype, shape } of inputs)
    if (!NAMES.some((known) => known === name) || datatype !== "INT64" || shape.length !== 2)
      throw new Error(
        `task ${task} needs INT64 inputs of shape [-1, -1] by the names ${NAMES.join(", ")}`,
      );
  if (!names.includes("input_ids")) throw new Error(`task ${task} needs the input input_ids`);
  if (
    inputs.some(({ shape }) => shape[1] !== fixed) ||
    (fixed >= 0 && fixed < (text?.maxLength ?? 0))
  )
    throw new Error(
      "text.maxLength must not be more than the tokens that the inputs have room for",
    );

  function toRun(encodings: readonly Encoding[], width: number): Run {
    const shape = [encodings.length, width];
    const feeds: Tensors = {};
    for (const name of names) {
      const data = new BigInt64Array(encodings.length * width).fill(BigInt(padding[name]));
      for (const [row, { [name]: values }] of encodings.entries())
        data.set(values.map(BigInt), row * width + (padding.left ? width - values.length : 0));
      feeds[name] = { datatype: "INT64", shape, data };
    }
    const tokens = encodings.reduce((sum, { input_ids }) => sum + input_ids.length, 0);
    return { feeds, rows: encodings.length, tokens };
  }

  return (encodings) => {
    const runs: Run[] = [];
    let start = 0;
    // An empty text without special tokens has no tokens, but a tensor needs at least one.
    let width = fixed >= 0 ? fixed : 1;
    encodings.forEach(({ input_ids: ids }, row) => {
      const wider = Math.max(width, ids.length);
      const full = (row + 1 - start) * wider > mostTokens;
      // A graph without a mask cannot tell padding from text, and one that is padded on the left may count positions
      // from there or look for the text's end in the last one. Only texts of equal length share a run of those.
      const mixes = names.includes("attention_mask") && !padding.left;
      const unlike = !mixes && fixed < 0 && ids.length !== width;
      if (row > start && (full || unlike)) {
        runs.push(toRun(encodings.slice(start, row), width));
        start = row;
        width = fixed >= 0 ? fixed : Math.max(1, ids.length);
      } else width = wider;
    });
    return [...runs, toRun(encodings.slice(start), width)];
  };
}
