import { InputIssues, NearcastError } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import type { Assets, CompiledTask, Parts, Run } from "../define.ts";
import { softmax } from "../softmax.ts";
import { tokenBatcher } from "../text/batch.ts";
import { TEXT_LENGTH, TOKENS } from "../text/quantities.ts";
import { openTokenizer } from "../text/tokenizer.ts";
import { withContext } from "../with-context.ts";
import { LABEL_QUANTITIES, type ScoredLabel } from "./answers.ts";
import { checkLabelCount, readInputs } from "./inputs.ts";
import { encodePairs } from "./pairs.ts";
import type { zeroShotOptions, ZeroShotParameters } from "./options.ts";

/** A label of an input, as a row of a run. */
interface LabelRow {
  /** The number of its input in the request. */
  input: number;
  label: string;
}

/** What the graph says of a text and a label. */
interface Relation {
  contradiction: number;
  entailment: number;
}

const LABEL_BYTES = '{"label":,"score":},'.length + NUMBER_BYTES;

/** Classifies texts by labels of the request. Each label of a text is a row: the graph reads it beside the text. */
export function compile(
  manifest: ManifestOf<typeof zeroShotOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask<ZeroShotParameters> {
  const { zeroShot, text, name, task } = manifest;
  const output = manifest.outputs.find((one) => one.name === zeroShot.output);
  const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
  const width = output?.shape[1] ?? -1;
  const last = Math.max(zeroShot.entailment, zeroShot.contradiction);
  if (!output || !isFloat || output.shape.length !== 2 || width <= last)
    throw new Error(
      `zeroShot.output must name an FP32, FP64 or FP16 output of shape [-1, n] with more than ${last} numbers a row`,
    );
  if (!text) throw new Error(`task ${task} needs text with a tokenizer`);
  const tokenizer = openTokenizer(text, assets);
  const toRuns = tokenBatcher(manifest, tokenizer.padding);

  return {
    maxTokens: text.maxLength,
    quantities: [TEXT_LENGTH, TOKENS, ...LABEL_QUANTITIES],
    outputNames: [output.name],
    answerBytes({ context }) {
      // A thousand texts may share a long label.
      const sizes = new Map<string, number>();
      return (context as LabelRow[]).reduce((sum, { label }) => {
        const size = sizes.get(label) ?? LABEL_BYTES + JSON.stringify(label).length;
        sizes.set(label, size);
        return sum + size;
      }, 0);
    },
    *preprocess(rows, { pathOf, parameters, longTexts = "cut", sentBytes }): Parts<Run[]> {
      const issues = new InputIssues();
      const given = readInputs(rows, pathOf, parameters, limits, issues);
      issues.check();
      checkLabelCount(given, limits.batch, "the model runs once for each label of each text");
      const pairs = yield* encodePairs(tokenizer, given, {
        template: parameters.hypothesis_template,
        maxLength: text.maxLength,
        limits,
        longTexts,
        sentBytes,
      });
      const labels = given.flatMap((one, input) =>
        one.labels.map((label): LabelRow => ({ input, label })),
      );
      return withContext(toRuns(pairs), labels);
    },
    postprocess(outputs, { rows }) {
      const data = numbersOf(outputs[output.name]?.data);
      if (data?.length !== rows * width)
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${name} does not have ${width} numbers a row.`,
        );
      return Array.from({ length: rows }, (_, row): Relation => ({
        contradiction: data[row * width + zeroShot.contradiction] ?? NaN,
        entailment: data[row * width + zeroShot.entailment] ?? NaN,
      }));
    },
    combine(answers, runs, { multi_label: severalRight }) {
      const byInput: { labels: string[]; relations: Relation[] }[] = [];
      const rows = runs.flatMap(({ context }) => context as LabelRow[]);
      for (const [at, { input, label }] of rows.entries()) {
        const own = (byInput[input] ??= { labels: [], relations: [] });
        own.labels.push(label);
        own.relations.push(answers[at] as Relation);
      }
      return byInput.map(({ labels, relations }) => {
        const scores = scoresOf(relations, severalRight);
        const scored = labels.map((label, at): ScoredLabel => ({
          label,
          score: scores[at] ?? NaN,
        }));
        // As in transformers, of labels with the same score the later one goes before.
        return scored.toSorted((a, b) => a.score - b.score).toReversed();
      });
    },
  };
}

/** Of labels that exclude each other, the entailments are compared; of others, each one with its contradiction. */
function scoresOf(relations: readonly Relation[], severalRight: boolean): number[] {
  if (severalRight || relations.length === 1)
    return relations.map(
      ({ contradiction, entailment }) => 1 / (1 + Math.exp(contradiction - entailment)),
    );
  return softmax(Float64Array.from(relations, ({ entailment }) => entailment));
}
