import { invalidInput, NearcastError, type InputIssue } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { answerNumber } from "../answer-numbers.ts";
import type { Assets, CompiledTask, Parts, Quantity, Run } from "../define.ts";
import { textInputs } from "../text/inputs.ts";
import { TOKENS } from "../text/quantities.ts";
import { withContext } from "../with-context.ts";
import { readRanking, type RankedText, type RankingInput } from "./inputs.ts";
import type { textRankingOptions, TextRankingParameters } from "./options.ts";

/** A text's place in the request, and how well it answers the query. */
export interface Ranked {
  index: number;
  score: number;
  text?: string;
}

const RANKED_BYTES = '{"index":,"score":},'.length + 2 * NUMBER_BYTES;

/** Ranks texts for a query. Each text is a row: the graph reads it beside the query. */
export function compile(
  manifest: ManifestOf<typeof textRankingOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask<TextRankingParameters> {
  const { ranking, name, task } = manifest;
  const output = manifest.outputs.find((one) => one.name === ranking.output);
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  if (!output || !isFloat || output.shape.length !== 2 || output.shape[1] !== 1)
    throw new Error("ranking.output must name an FP32, FP64 or FP16 output of shape [-1, 1]");
  if (!manifest.text) throw new Error(`task ${task} needs text with a tokenizer`);
  const inputs = textInputs(manifest, limits, assets);

  return {
    maxTokens: manifest.text.maxLength,
    quantities: QUANTITIES,
    outputNames: [output.name],
    answerBytes({ rows, context }, { return_text: withText }) {
      const texts = withText ? (context as RankedText[]) : [];
      return texts.reduce(
        (sum, { text }) => sum + JSON.stringify(text).length + '"text":,'.length,
        rows * RANKED_BYTES,
      );
    },
    *preprocess(rows, options): Parts<Run[]> {
      const { pathOf } = options;
      const issues: InputIssue[] = [];
      const given = rows.map((row, input) => readRanking(row, pathOf(input), limits, issues));
      if (issues.length > 0) throw invalidInput(issues);
      const texts = given.flatMap(({ query, texts: own }, input) =>
        own.map((text, index): RankedText => ({ input, index, query, text })),
      );
      if (texts.length > limits.batch)
        throw invalidInput([
          {
            path: "inputs",
            message: `must have at most ${limits.batch} texts in all, have ${texts.length}`,
          },
        ]);
      const made = inputs.preprocess(
        texts.map(({ query, text }) => ({ text: query, text_pair: text })),
        {
          ...options,
          pathOf: (row) => `${pathOf(texts[row]?.input ?? 0)}.texts[${texts[row]?.index}]`,
        },
      );
      return withContext("next" in made ? yield* made : made, texts);
    },
    postprocess(outputs, { rows }, { raw_scores: raw }) {
      const data = numbersOf(outputs[output.name]?.data);
      if (data?.length !== rows)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${name} does not have a number a row.`,
        );
      const isSigmoid = ranking.activation === "sigmoid" && !raw;
      return Array.from(data, (value) => (isSigmoid ? 1 / (1 + Math.exp(-value)) : value));
    },
    combine(scores, runs, { top_k: topK, return_text: withText }) {
      const byInput: Ranked[][] = [];
      const texts = runs.flatMap(({ context }) => context as RankedText[]);
      for (const [row, { input, index, text }] of texts.entries())
        (byInput[input] ??= []).push({
          index,
          score: scores[row] as number,
          ...(withText && { text }),
        });
      return byInput.map((ranked) => ranked.toSorted((a, b) => b.score - a.score).slice(0, topK));
    },
  };
}

const QUANTITIES: readonly Quantity[] = [
  TOKENS,
  {
    name: "texts",
    of: "input",
    kind: "number",
    each({ inputs = [] }, take) {
      for (const input of inputs) take((input as RankingInput).texts.length);
    },
  },
  answerNumber("score", (answer) => (answer as Ranked[])[0]?.score),
];
