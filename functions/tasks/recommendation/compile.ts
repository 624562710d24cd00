import * as z from "zod";
import { invalidInput, NearcastError, type InputIssue } from "../../errors.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { MAX_NUMBERS } from "../check-tensors.ts";
import { answerNumber } from "../answer-numbers.ts";
import type { Assets, CompiledTask, Parts, Quantity, Run } from "../define.ts";
import type { recommendationOptions, RecommendationParameters } from "./options.ts";

export interface Recommendation {
  id: string;
  name: string;
  /** How well the item goes with the basket. Compare it only within one answer. */
  score: number;
}

const itemSchema = z.strictObject({ id: z.string().min(1), name: z.string() });
const catalogueSchema = z.array(itemSchema).min(1);
type Item = z.output<typeof itemSchema>;

/** The most numbers in one run. Baskets of a large catalogue take several runs. */
const MAX_NUMBERS_PER_RUN = 250_000;

/** With so many scores, answers are made in some milliseconds. */
const SCORES_AT_ONCE = 50_000;

/**
 * Takes a basket of item ids and answers with the items that go best with it. The graph takes baskets as FP32 `[rows,
 * items]` of ones and zeros. Its scores have the same shape, in the catalogue's order.
 */
export function compile(
  manifest: ManifestOf<typeof recommendationOptions>,
  assets: Assets,
): CompiledTask<RecommendationParameters> {
  const { recommendation: options, inputs } = manifest;
  const bytes = assets.get(options.catalogue);
  if (!bytes) throw new Error(`recommendation.catalogue ${options.catalogue} is not an asset`);
  const catalogue = catalogueSchema.parse(
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)),
  );
  const width = catalogue.length;
  const columns = new Map(catalogue.map(({ id }, column) => [id, column]));
  if (columns.size !== width) throw new Error(`${options.catalogue} names an item twice`);
  // Assumes the longest items: every basket may be answered with them.
  const itemBytes = catalogue
    .map((item) => JSON.stringify({ ...item, score: 0 }).length + NUMBER_BYTES)
    .toSorted((a, b) => b - a);
  const input = inputs[0];
  const output = manifest.outputs.find(({ name }) => name === options.output);
  for (const tensor of [input, output])
    if (tensor?.datatype !== "FP32" || tensor.shape.length !== 2 || tensor.shape[1] !== width)
      throw new Error(`task ${manifest.task} needs FP32 tensors of shape [-1, ${width}]`);
  if (!input || !output || inputs.length > 1) throw new Error("there must be one input");

  /** The columns of a basket's items. Adds mistakes to `issues`. */
  function readBasket(basket: unknown, path: string, issues: InputIssue[]): number[] {
    if (!Array.isArray(basket) || basket.length === 0) {
      issues.push({ path, message: "must be an array of at least one item id" });
      return [];
    }
    return basket.flatMap((id: unknown, position) => {
      const column = typeof id === "string" ? columns.get(id) : undefined;
      if (column !== undefined) return column;
      const message =
        typeof id === "string"
          ? `names item ${JSON.stringify(id.slice(0, 64))}, which the catalogue does not have`
          : "must be an item id as a string";
      issues.push({ path: `${path}[${position}]`, message });
      return [];
    });
  }

  function toRun(baskets: readonly number[][]): Run {
    const data = new Float32Array(baskets.length * width);
    baskets.forEach((basket, row) => {
      for (const column of basket) data[row * width + column] = 1;
    });
    const tensor = { datatype: "FP32" as const, shape: [baskets.length, width], data };
    return { feeds: { [input?.name ?? ""]: tensor }, rows: baskets.length };
  }

  return {
    isBatch: (value) => Array.isArray(value) && Array.isArray(value[0]),
    preprocess(rows, { pathOf }) {
      const most = Math.max(1, Math.floor(MAX_NUMBERS / width));
      if (rows.length > most)
        throw invalidInput([
          {
            path: "inputs",
            message: `must have at most ${most} baskets of a catalogue of ${width} items, has ${rows.length}`,
          },
        ]);
      const issues: InputIssue[] = [];
      const baskets = rows.map((row, index) => readBasket(row, pathOf(index), issues));
      if (issues.length > 0) throw invalidInput(issues);
      const step = Math.max(1, Math.floor(MAX_NUMBERS_PER_RUN / width));
      return Array.from({ length: Math.ceil(baskets.length / step) }, (_, index) =>
        toRun(baskets.slice(index * step, (index + 1) * step)),
      );
    },
    quantities: QUANTITIES,
    outputNames: [output.name],
    answerBytes: ({ rows }, { top_k: topK }) =>
      rows * itemBytes.slice(0, topK).reduce((sum, bytes) => sum + bytes, 0),
    postprocess(outputs, { feeds, rows }, { top_k: topK }) {
      const scores = outputs[output.name]?.data;
      const baskets = feeds[input.name]?.data;
      if (!(scores instanceof Float32Array) || !baskets || scores.length !== rows * width)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${manifest.name} does not have ${width} scores a row.`,
        );
      const sorted = new Float32Array(width);
      const answer = (row: number): Recommendation[] => {
        const start = row * width;
        const score = (column: number) => scores[start + column] ?? 0;
        let others = 0;
        for (let column = 0; column < width; column++)
          if (baskets[start + column] === 0) sorted[others++] = score(column);
        // Sorts numbers alone: that is ten times as fast as sorting items by their numbers.
        const least = sorted.subarray(0, others).sort().at(-topK) ?? -Infinity;
        const best: number[] = [];
        for (let column = 0; column < width; column++)
          if (baskets[start + column] === 0 && !(score(column) < least)) best.push(column);
        return best
          .sort((a, b) => score(b) - score(a))
          .slice(0, topK)
          .map((column) => ({ ...(catalogue[column] as Item), score: score(column) }));
      };
      const atOnce = Math.max(1, Math.floor(SCORES_AT_ONCE / width));
      if (rows > atOnce) return inParts(rows, atOnce, answer);
      return Array.from({ length: rows }, (_, row) => answer(row));
    },
  };
}

/** Answers some baskets, and lets others have their turn. */
function* inParts<Answer>(
  rows: number,
  atOnce: number,
  answer: (row: number) => Answer,
): Parts<Answer[]> {
  const answers: Answer[] = [];
  for (let row = 0; row < rows; row++) {
    if (row > 0 && row % atOnce === 0) yield;
    answers.push(answer(row));
  }
  return answers;
}

/** How many items a basket has, and what is recommended first. */
const QUANTITIES: readonly Quantity[] = [
  {
    name: "basket_size",
    of: "input",
    kind: "number",
    each({ inputs = [] }, take) {
      for (const basket of inputs) take((basket as unknown[]).length);
    },
  },
  {
    name: "prediction.item",
    of: "prediction",
    kind: "category",
    each({ answers = [] }, take) {
      for (const answer of answers) take((answer as Recommendation[])[0]?.id);
    },
  },
  answerNumber("score", (answer) => (answer as Recommendation[])[0]?.score),
];
