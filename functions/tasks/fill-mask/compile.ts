import { invalidInput, NearcastError, type InputIssue } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { answerNumber } from "../answer-numbers.ts";
import { MAX_NUMBERS } from "../check-tensors.ts";
import type { Assets, CompiledTask, Parts, PreprocessOptions, Run } from "../define.ts";
import { createTextBudget } from "../text-budget.ts";
import { detokenizer } from "../text/detokenizer.ts";
import { Effort } from "../text/effort.ts";
import { MOST_EXPANSION, tokenizedText } from "../text/inputs.ts";
import { textIssue } from "../text/problem.ts";
import { readTokenizer, tokenizerOf } from "../text/tokenizer.ts";
import { withContext } from "../with-context.ts";
import { likeliest, type Filled } from "./fill.ts";
import type { fillMaskOptions, FillMaskParameters } from "./options.ts";

/** A row of a run: its tokens, the places of its masks, and the only tokens to choose from. */
interface MaskedText {
  ids: number[];
  masks: number[];
  targets: number[] | undefined;
}

const FILLED_BYTES = '{"score":,"token":,"token_str":"","sequence":""},'.length + 2 * NUMBER_BYTES;
/** For each mask that a batch of texts with one mask has: as many as `top_k` is when it is absent. */
const FILLED_A_MASK = 5;
/** About how many bytes of JSON the text of a token has. */
const TOKEN_BYTES = 6;

/** Finds the likeliest tokens for the masks of texts. */
export function compile(
  manifest: ManifestOf<typeof fillMaskOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask<FillMaskParameters> {
  const { fill, text, name, task } = manifest;
  const output = manifest.outputs.find((one) => one.name === fill.output);
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  const size = output?.shape[2] ?? -1;
  if (!output || !isFloat || output.shape.length !== 3 || size <= 0)
    throw new Error(
      "fill.output must name an FP32, FP64 or FP16 output of shape [-1, -1, vocabulary]",
    );
  if (!text) throw new Error(`task ${task} needs text with a tokenizer`);
  const parts = readTokenizer(text, assets);
  const { decode } = detokenizer(parts);
  const maskId = parts.idOf(fill.mask);
  if (maskId === undefined) throw new Error(`fill.mask ${fill.mask} is no token of the tokenizer`);
  const padId = parts.padding.input_ids;
  const tokenizer = tokenizerOf(text, parts);
  // The output has as many numbers for each token as the vocabulary has tokens.
  const tokensPerRun = Math.floor(MAX_NUMBERS / size);
  const inputs = tokenizedText({ ...manifest, text }, limits, { tokenizer, tokensPerRun });

  /** The ids of the parameter `targets`. Works in parts. Throws `invalid_input`. */
  function* targetIds(
    targets: readonly string[],
    { sentBytes }: PreprocessOptions<unknown>,
  ): Parts<number[]> {
    const issues = targets.flatMap((target, index) => textIssue(target, targetPath(index), limits));
    if (issues.length > 0) throw invalidInput(issues);
    const budget = createTextBudget(sentBytes);
    const mostCharacters = limits.textLength * MOST_EXPANSION;
    const options = { longTexts: "cut", mostCharacters, budget, effort: new Effort() } as const;
    const ids = new Set<number>();
    for (const [index, target] of targets.entries())
      try {
        budget.takeCharacters(target.length);
        const known = parts.idOf(target);
        const [first] = known === undefined ? yield* tokenizer.tokensOf(target, options) : [known];
        if (first !== undefined && first < size) ids.add(first);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw invalidInput([{ path: targetPath(index), message: error.message }]);
      }
    if (ids.size === 0)
      throw invalidInput([
        { path: "parameters.targets", message: "has no text with a token of the model" },
      ]);
    return [...ids];
  }

  /** Each token for a mask has a text of its own to write. Throws `invalid_input` where they are too many. */
  function checkFilled(masked: readonly MaskedText[], topK: number): void {
    const masks = masked.reduce((sum, row) => sum + row.masks.length, 0);
    const most = Math.floor((limits.batch * FILLED_A_MASK) / masks);
    const isFew = masks <= limits.batch;
    if (isFew && countOf(masked[0]?.targets, topK) <= most) return;
    throw invalidInput([
      isFew
        ? { path: "parameters.top_k", message: `must be at most ${most} for ${masks} masks` }
        : { path: "inputs", message: `must have at most ${limits.batch} masks, has ${masks}` },
    ]);
  }

  /** How many tokens the answer has for a mask. */
  function countOf(targets: readonly number[] | undefined, topK: number): number {
    return Math.min(topK, targets?.length ?? size);
  }

  return {
    maxTokens: text.maxLength,
    readsContext: true,
    quantities: [
      ...inputs.quantities,
      answerNumber("score", (answer) => (answer as (Filled | Filled[])[]).flat()[0]?.score),
    ],
    outputNames: [output.name],
    answerBytes: ({ context }, { top_k: topK }) =>
      (context as MaskedText[]).reduce((sum, { ids, masks, targets }) => {
        const filled = masks.length * countOf(targets, topK);
        return sum + filled * (FILLED_BYTES + ids.length * TOKEN_BYTES);
      }, 0),
    *preprocess(rows, options): Parts<Run[]> {
      const { pathOf, parameters } = options;
      const issues = rows.flatMap((row, input) => textIssue(row, pathOf(input), limits));
      if (issues.length > 0) throw invalidInput(issues);
      const targets = parameters.targets && (yield* targetIds(parameters.targets, options));
      const runs = yield* inputs.preprocess(rows, options);
      const masked = runs
        .flatMap((run) => idsOf(run))
        .map((ids): MaskedText => ({
          ids: ids.slice(0, 1 + ids.findLastIndex((id) => id !== padId)),
          masks: ids.flatMap((id, at) => (id === maskId ? [at] : [])),
          targets,
        }));
      const without = masked.flatMap(({ masks }, row): InputIssue[] =>
        masks.length > 0
          ? []
          : [
              {
                path: pathOf(row),
                message: `must have ${fill.mask} among its first ${text.maxLength} tokens`,
              },
            ],
      );
      if (without.length > 0) throw invalidInput(without);
      checkFilled(masked, parameters.top_k);
      return withContext(runs, masked);
    },
    *postprocess(outputs, { rows, feeds, context }, { top_k: topK }) {
      const data = numbersOf(outputs[output.name]?.data);
      const width = (feeds["input_ids"]?.data.length ?? 0) / rows;
      if (data?.length !== rows * width * size)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${name} does not have ${size} numbers a token.`,
        );
      const answers: unknown[] = [];
      for (const [row, { ids, masks, targets }] of (context as MaskedText[]).entries()) {
        const filled: Filled[][] = [];
        for (const at of masks) {
          if (filled.length > 0 || row > 0) yield;
          const from = (row * width + at) * size;
          const found = likeliest(data.subarray(from, from + size), topK, targets);
          filled.push(
            found.map(({ token, score }) => ({
              score,
              token,
              token_str: decode([token], { skipsSpecial: false }),
              // Other masks would be skipped as special tokens.
              sequence: decode(
                ids.with(at, token).filter((id) => id !== padId),
                { skipsSpecial: masks.length === 1 },
              ),
            })),
          );
        }
        answers.push(filled.length === 1 ? filled[0] : filled);
      }
      return answers;
    },
  };
}

function targetPath(index: number): string {
  return `parameters.targets[${index}]`;
}

/** The token ids of each row of a run, with padding. */
function idsOf({ feeds, rows }: Run): number[][] {
  const data = feeds["input_ids"]?.data as BigInt64Array;
  const width = data.length / rows;
  return Array.from({ length: rows }, (_, row) =>
    Array.from(data.subarray(row * width, (row + 1) * width), Number),
  );
}
