import { InputIssues, NearcastError } from "../../errors.ts";
import { numbersOf, viewOfRows, type Tensors } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import type { CompiledTask, Parts, Quantity, Run, TaskVersion } from "../define.ts";
import { imageInputs } from "../image/inputs.ts";
import type { ImageContext } from "../image/quantities.ts";
import { softmax } from "../softmax.ts";
import { tokenBatcher } from "../text/batch.ts";
import { openTokenizer } from "../text/tokenizer.ts";
import { LABEL_QUANTITIES, type ScoredLabel } from "../zero-shot-classification/answers.ts";
import { checkLabelCount } from "../zero-shot-classification/inputs.ts";
import { readInputs, type Given } from "./inputs.ts";
import type { zeroShotImageOptions, ZeroShotImageParameters } from "./options.ts";
import { encodeSentences } from "./sentences.ts";

/** The pictures and the labels of a run. Each picture is compared with each label. */
interface Compared {
  /** The number of the first picture in the request. The others follow it. */
  first: number;
  sizes: ImageContext;
  labels: readonly string[];
  /** Whether an earlier run has the same pictures, with other labels. */
  seenBefore: boolean;
}

const LABEL_BYTES = '{"label":,"score":},'.length + NUMBER_BYTES;

/** Compares pictures with the sentences of labels. The graph reads both, each in a tower of its own. */
export async function compile(
  version: TaskVersion<typeof zeroShotImageOptions>,
): Promise<CompiledTask<ZeroShotImageParameters>> {
  const { manifest, limits, assets } = version;
  const { zeroShot, text, name, task } = manifest;
  const output = manifest.outputs.find((one) => one.name === zeroShot.output);
  if (
    !output ||
    !["FP32", "FP64", "FP16"].includes(output.datatype) ||
    String(output.shape) !== "-1,-1"
  )
    throw new Error("zeroShot.output must name an FP32, FP64 or FP16 output of shape [-1, -1]");
  if (!text) throw new Error(`task ${task} needs text with a tokenizer`);
  const { inputs } = manifest;
  if (inputs.some(({ shape }) => shape[0] !== -1))
    throw new Error(`task ${task} needs inputs whose first dimension is free (-1)`);
  const pictures = await imageInputs({
    ...version,
    manifest: { ...manifest, inputs: inputs.filter(isPicture) },
  });
  const tokenizer = openTokenizer(text, assets);
  const words = inputs.filter((input) => !isPicture(input));
  const toRuns = tokenBatcher({ ...manifest, inputs: words }, tokenizer.padding);
  const padded = words[0]?.shape[1] ?? -1;

  return {
    quantities: [...pictures.quantities.map(ofEachPictureOnce), ...LABEL_QUANTITIES],
    outputNames: [output.name],
    answerBytes: ({ context }) => {
      const { sizes, labels } = context as Compared;
      return (
        sizes.length *
        labels.reduce((sum, label) => sum + LABEL_BYTES + JSON.stringify(label).length, 0)
      );
    },
    *preprocess(rows, { pathOf, parameters, sentBytes }): Parts<Run[]> {
      const issues = new InputIssues();
      const given = readInputs(rows, pathOf, parameters, limits, issues);
      issues.check();
      checkLabelCount(given, limits.batch, "each picture is compared with each of its labels");
      const sentences = yield* encodeSentences(tokenizer, given, {
        template: parameters.hypothesis_template,
        maxLength: text.maxLength,
        padded,
        limits,
        sentBytes,
      });
      const pathOfImage = (at: number) => given[at]?.path ?? pathOf(at);
      const images = given.map(({ image }) => image);
      const made = pictures.preprocess(images, {
        pathOf: pathOfImage,
        parameters: {},
        sentBytes,
      }) as Parts<Run[]>;
      const all = yield* made;
      return compared(all, given, (labels) => {
        let from = 0;
        return toRuns(labels.map((label) => sentences.get(label)!)).map((run) => {
          const own = labels.slice(from, (from += run.rows));
          return { ...run, labels: own };
        });
      });
    },
    postprocess(outputs, { context }): number[][] {
      const { sizes, labels } = context as Compared;
      const made = outputs[output.name];
      const data = numbersOf(made?.data);
      const wanted = [sizes.length, labels.length];
      if (!data || String(made?.shape) !== String(wanted) || !data.every(Number.isFinite))
        throw new NearcastError(
          "model_corrupt",
          `Output ${output.name} of ${name} is no finite number for each picture and text.`,
        );
      return sizes.map((_, row) =>
        Array.from(data.subarray(row * labels.length, (row + 1) * labels.length)),
      );
    },
    combine(answers, runs) {
      const byPicture: { labels: string[]; logits: number[] }[] = [];
      let at = 0;
      for (const { context } of runs) {
        const { first, sizes, labels } = context as Compared;
        for (const index of sizes.keys()) {
          const own = (byPicture[first + index] ??= { labels: [], logits: [] });
          own.labels.push(...labels);
          own.logits.push(...(answers[at++] as number[]));
        }
      }
      return byPicture.map(({ labels, logits }) => {
        const scores =
          zeroShot.activation === "softmax"
            ? softmax(Float64Array.from(logits))
            : logits.map((logit) => 1 / (1 + Math.exp(-logit)));
        const scored = labels.map((label, one): ScoredLabel => ({ label, score: scores[one]! }));
        return scored.toSorted((a, b) => b.score - a.score);
      });
    },
  };
}

function isPicture({ shape }: { shape: readonly number[] }): boolean {
  return shape.length === 4;
}

type TextRun = Run & { labels: readonly string[] };

/** A run for each group of pictures with the same labels, and each group of these. */
function compared(
  pictures: readonly Run[],
  given: readonly Given[],
  textsOf: (labels: readonly string[]) => TextRun[],
): Run[] {
  const known = new Map<string, TextRun[]>();
  const runs: Run[] = [];
  let first = 0;
  for (const { feeds, rows, context, pixels } of pictures)
    for (let from = 0; from < rows;) {
      const labels = given[first]?.labels ?? [];
      const key = JSON.stringify(labels);
      let to = from + 1;
      while (to < rows && isSame(labels, given[first + to - from]?.labels)) to += 1;
      if (!known.has(key)) known.set(key, textsOf(labels));
      const own: Tensors = {};
      for (const name in feeds) own[name] = viewOfRows(feeds[name]!, from, to - from);
      const sizes = (context as ImageContext).slice(from, to);
      for (const [index, { labels, ...texts }] of known.get(key)!.entries()) {
        const seenBefore = index > 0;
        runs.push({
          feeds: { ...own, ...texts.feeds },
          // As many as there are answers to compute.
          rows: sizes.length * labels.length,
          ...(texts.tokens !== undefined && { tokens: texts.tokens }),
          ...(pixels !== undefined && from === 0 && !seenBefore && { pixels }),
          context: { first, sizes, labels, seenBefore } satisfies Compared,
        });
      }
      first += to - from;
      from = to;
    }
  return runs;
}

function isSame(one: readonly string[], other: readonly string[] | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** A run has the sizes of its pictures in another place, and a picture with many labels is in several runs. */
function ofEachPictureOnce(quantity: Quantity): Quantity {
  return {
    ...quantity,
    each(seen, take) {
      const runs = seen.runs
        .filter(({ context }) => !(context as Compared | undefined)?.seenBefore)
        .map((run) => ({ ...run, context: (run.context as Compared | undefined)?.sizes }));
      quantity.each({ ...seen, runs }, take);
    },
  };
}
