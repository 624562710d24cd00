import { invalidInput } from "../../../errors.ts";
import type { Limits } from "../../../model/limits.ts";
import type { ManifestOf } from "../../../model/manifest.ts";
import type { Parts, Run } from "../../define.ts";
import { createTextBudget } from "../../text-budget.ts";
import { withContext } from "../../with-context.ts";
import { tokenBatcher } from "../batch.ts";
import { Effort } from "../effort.ts";
import { MOST_EXPANSION } from "../inputs.ts";
import type { textOptions, TextOptions } from "../options.ts";
import { TextRefusal, type openAlignedTokenizer, type Window } from "./tokenizer.ts";

/** The texts of an input, and its name in error messages. */
export interface GivenText {
  /** Of a pair, the text that is not split. */
  before?: { text: string; path: string };
  /** The text that is split into windows. */
  text: string;
  path: string;
}

/** A part of one input's text. A run's context has one for each of its rows. */
export interface TextWindow {
  window: Window;
  /** The number of its input in the request. */
  input: number;
  /** The text that was split. The places are of it. */
  text: string;
}

interface WindowedOptions {
  /** The most tokens of a window, with special tokens. */
  maxLength: number;
  stride: number | undefined;
  sentBytes: number | undefined;
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
  // The places of tokens in the outputs are those in the text.
  if (tokenizer.padding.left && manifest.inputs[0]?.shape[1] !== -1)
    throw new Error(
      `task ${manifest.task} needs a graph with a free number of tokens where the tokenizer pads on the left`,
    );
  const toRuns = tokenBatcher(manifest, tokenizer.padding);
  return function* preprocess(
    given: readonly GivenText[],
    { maxLength, stride, sentBytes }: WindowedOptions,
  ): Parts<Run[]> {
    const windows: TextWindow[] = [];
    const budget = createTextBudget(sentBytes);
    const mostCharacters = limits.textLength * MOST_EXPANSION;
    const options = { maxLength, stride, mostCharacters, budget, effort: new Effort() };
    const allow = (count: number) => {
      if (windows.length + count > limits.batch)
        throw new RangeError(
          `makes more than ${limits.batch} parts of ${maxLength} tokens with the texts before it; send fewer or shorter texts, or a smaller stride`,
        );
    };
    for (const { before, text, path } of given)
      try {
        budget.takeCharacters(text.length + (before?.text.length ?? 0));
      } catch (error) {
        throw refused(error, path, path);
      }
    for (const [input, { before, text: sent, path }] of given.entries()) {
      const text = sent.toWellFormed();
      const [first, second] = before ? [before.text.toWellFormed(), text] : [text, undefined];
      try {
        for (const window of yield* tokenizer.encode(first, second, { ...options, allow })) {
          budget.takeTokens(window.input_ids.length);
          windows.push({ window, input, text });
        }
      } catch (error) {
        throw refused(error, before?.path ?? path, path);
      }
    }
    return withContext(toRuns(windows.map(({ window }) => window)), windows);
  };
}

/** Throws `invalid_input` for a stride with which a long text would become too many windows. */
export function checkStride(stride: number | undefined, maxLength: number, name: string): void {
  const most = Math.floor(maxLength / 2);
  if (stride === undefined || stride <= most) return;
  const message = `must be at most ${most}, half of the model's tokens`;
  throw invalidInput([{ path: `parameters.${name}`, message }]);
}

function refused(error: unknown, first: string, last: string): unknown {
  if (!(error instanceof RangeError)) return error;
  const path = error instanceof TextRefusal && error.sequence === 0 ? first : last;
  return invalidInput([{ path, message: error.message }]);
}
