import { invalidInput, NearcastError } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import type { Assets, CompiledTask, Quantity } from "../define.ts";
import { softmax } from "../softmax.ts";
import { characters } from "../text/aligned/characters.ts";
import { openAlignedTokenizer } from "../text/aligned/tokenizer.ts";
import { checkStride, windowed, type TextWindow } from "../text/aligned/windowed.ts";
import { textIssue } from "../text/problem.ts";
import { TEXT_LENGTH, TOKENS } from "../text/quantities.ts";
import { entitiesOf, withoutOverlaps, type Entity, type ScoredToken } from "./entities.ts";
import type { TokenClassificationParameters, tokenClassificationOptions } from "./options.ts";

/** The members of an entity besides its label and its word, as JSON. */
const ENTITY_BYTES = '{"entity_group":"","score":,"index":,"word":"","start":,"end":},'.length;

export function compile(
  manifest: ManifestOf<typeof tokenClassificationOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask<TokenClassificationParameters> {
  const { labels, text, entities } = manifest;
  if (!labels) throw new Error(`task ${manifest.task} needs labels`);
  if (!text) throw new Error(`task ${manifest.task} needs text with a tokenizer`);
  const output = manifest.outputs.find(({ name }) => name === entities.output);
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  if (!output || !isFloat || output.shape.length !== 3 || output.shape[2] !== labels.length)
    throw new Error(
      `entities.output must name an FP32, FP64 or FP16 output of shape [-1, -1, ${labels.length}]`,
    );
  const tokenizer = openAlignedTokenizer(text, assets);
  const preprocess = windowed({ ...manifest, text }, tokenizer, limits);
  const longestLabel = Math.max(...labels.map((label) => JSON.stringify(label).length));
  const tokenBytes = ENTITY_BYTES + longestLabel + 5 * NUMBER_BYTES;

  function tokensOf(
    { window, text: given }: TextWindow,
    scoresAt: (token: number) => ArrayLike<number>,
  ): ScoredToken[] {
    const part = characters(given);
    return window.input_ids.flatMap((id, index) => {
      if (window.sequences[index] === -1) return [];
      const [start, end] = [window.starts[index]!, window.ends[index]!];
      const [token, original] = [tokenizer.tokenOf(id), part(start, end)];
      const isUnknown = id === tokenizer.unknownId;
      const continues = tokenizer.marksContinuations
        ? lengthOf(token) !== end - start
        : start > 0 && !part(start - 1, start + 1).includes(" ");
      return {
        word: isUnknown ? original : token,
        scores: scoresAt(index),
        start,
        end,
        index,
        isSubword: continues && !isUnknown,
      };
    });
  }

  return {
    maxTokens: text.maxLength,
    quantities: [TEXT_LENGTH, TOKENS, ENTITY_COUNT, ENTITY_LABEL],
    outputNames: [output.name],
    answerBytes: ({ tokens = 0 }) => tokens * tokenBytes,
    preprocess(rows, { pathOf, parameters: { stride }, sentBytes }) {
      checkStride(stride, text.maxLength, "stride");
      const issues = rows.flatMap((row, input) => textIssue(row, pathOf(input), limits));
      if (issues.length > 0) throw invalidInput(issues);
      const given = rows.map((row, input) => ({ text: row as string, path: pathOf(input) }));
      return preprocess(given, { maxLength: text.maxLength, stride, sentBytes });
    },
    postprocess(outputs, { feeds, rows, context }, parameters) {
      const data = numbersOf(outputs[output.name]?.data);
      const width = (feeds["input_ids"]?.data.length ?? 0) / rows;
      if (data?.length !== rows * width * labels.length)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${manifest.name} does not have ${labels.length} numbers a token.`,
        );
      const { aggregation_strategy: strategy, ignore_labels: ignored } = parameters;
      return (context as TextWindow[]).map((one, row) => {
        const scoresAt = (token: number) => {
          const from = (row * width + token) * labels.length;
          return softmax(data.subarray(from, from + labels.length));
        };
        const join = tokenizer.textOf;
        return entitiesOf(tokensOf(one, scoresAt), labels, { strategy, ignored, join });
      });
    },
    combine(answers, runs) {
      const byInput: Entity[][][] = [];
      const windows = runs.flatMap(({ context }) => context as TextWindow[]);
      for (const [at, { input }] of windows.entries())
        (byInput[input] ??= []).push(answers[at] as Entity[]);
      return byInput.map((parts) =>
        parts.length === 1 ? parts[0] : withoutOverlaps(parts.flat()),
      );
    },
  };
}

function lengthOf(token: string): number {
  return Array.from(token).length;
}

const ENTITY_COUNT: Quantity = {
  name: "prediction.entities",
  of: "prediction",
  kind: "number",
  each({ answers = [] }, take) {
    for (const answer of answers) take((answer as Entity[]).length);
  },
};

const ENTITY_LABEL: Quantity = {
  // In the plural: an answer has several, and none of them is its outcome.
  name: "prediction.labels",
  of: "prediction",
  kind: "category",
  each({ answers = [] }, take) {
    for (const answer of answers)
      for (const { entity, entity_group: group } of answer as Entity[]) take(group ?? entity);
  },
};
