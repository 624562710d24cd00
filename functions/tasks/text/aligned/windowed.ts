import { invalidInput } from "../../../errors.ts";
import type { Limits } from "../../../model/limits.ts";
import type { ManifestOf } from "../../../model/manifest.ts";
import type { Parts, PreprocessOptions, Run } from "../../define.ts";
import { withContext } from "../../with-context.ts";
import { tokenBatcher } from "../batch.ts";
import { Effort } from "../effort.ts";
import { MOST_EXPANSION } from "../inputs.ts";
import type { textOptions, TextOptions } from "../options.ts";
import type { openAlignedTokenizer, Window } from "./tokenizer.ts";

/** A part of one input's text. A run's context has one for each of its rows. */
export interface TextWindow {
  window: Window;
  /** The number of its input in the request. */
  input: number;
  /** The text that the places are of. */
  text: string;
}

type Tokenizer = ReturnType<typeof openAlignedTokenizer>;

/**
 * Turns texts into runs whose context has a {@link TextWindow} for each row. With a stride, a long text becomes several
 * rows; a request has no more of them than the model takes inputs.
 */
export function windowed(
  manifest: ManifestOf<typeof textOptions> & { text: TextOptions },
  tokenizer: Tokenizer,
  limits: Limits,
) {
  const toRuns = tokenBatcher(manifest, tokenizer.padding);
  const { maxLength } = manifest.text;
  return function* preprocess(
    rows: readonly unknown[],
    { pathOf }: PreprocessOptions<unknown>,
    stride: number | undefined,
  ): Parts<Run[]> {
    const most = Math.floor(maxLength / 2);
    if (stride !== undefined && stride > most)
      throw invalidInput([
        {
          path: "parameters.stride",
          message: `must be at most ${most}, half of the model's tokens`,
        },
      ]);
    const issues = rows.flatMap((text, row) => {
      const message = problemOf(text, limits);
      return message === undefined ? [] : { path: pathOf(row), message };
    });
    if (issues.length > 0) throw invalidInput(issues);
    const windows: TextWindow[] = [];
    const mostCharacters = limits.textLength * MOST_EXPANSION;
    const effort = new Effort();
    for (const [input, row] of rows.entries()) {
      const text = (row as string).toWellFormed();
      const options = { maxLength, stride, mostCharacters, effort };
      try {
        for (const window of yield* tokenizer.encode(text, undefined, options))
          windows.push({ window, input, text });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw invalidInput([{ path: pathOf(input), message: error.message }]);
      }
      if (windows.length > limits.batch)
        throw invalidInput([
          {
            path: pathOf(input),
            message: `makes more than ${limits.batch} parts of ${maxLength} tokens with the texts before it; send fewer or shorter texts, or a smaller stride`,
          },
        ]);
    }
    return withContext(toRuns(windows.map(({ window }) => window)), windows);
  };
}

function problemOf(text: unknown, { textLength }: Limits): string | undefined {
  if (typeof text !== "string") return "must be a string";
  if (text.length > textLength)
    return `must have at most ${textLength} characters, has ${text.length}`;
  return undefined;
}
