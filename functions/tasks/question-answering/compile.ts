import { invalidInput, NearcastError, type InputIssue } from "../../errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { ManifestOf } from "../../model/manifest.ts";
import { numbersOf, type Tensors } from "../../tensor.ts";
import { NUMBER_BYTES } from "../../wire/answer-size.ts";
import { answerNumber } from "../answer-numbers.ts";
import type { Assets, CompiledTask, Quantity, Run } from "../define.ts";
import { openAlignedTokenizer } from "../text/aligned/tokenizer.ts";
import { checkStride, windowed, type TextWindow } from "../text/aligned/windowed.ts";
import { TOKENS } from "../text/quantities.ts";
import { readQuestion, type QuestionInput } from "./inputs.ts";
import type { questionAnsweringOptions, QuestionAnsweringParameters } from "./options.ts";
import { answersIn, bestAnswers, type Answer, type WindowAnswers } from "./spans.ts";

const ANSWER_BYTES = '{"score":,"start":,"end":,"answer":""},'.length + 3 * NUMBER_BYTES;
/** About how many bytes of JSON a token of an answer has. */
const TOKEN_BYTES = 6;
/** What the pipeline takes when a request does not say it. */
const [USUAL_LENGTH, USUAL_STRIDE] = [384, 128];

/** Answers questions from texts. A long text is several rows: the graph reads each part beside the question. */
export function compile(
  manifest: ManifestOf<typeof questionAnsweringOptions>,
  limits: Limits,
  assets: Assets,
): CompiledTask<QuestionAnsweringParameters> {
  const { spans, text, name, task } = manifest;
  for (const side of ["start", "end"] as const) {
    const output = manifest.outputs.find((one) => one.name === spans[side]);
    const isFloat = ["FP32", "FP64", "FP16"].includes(output?.datatype ?? "");
    if (!isFloat || output?.shape.length !== 2)
      throw new Error(`spans.${side} must name an FP32, FP64 or FP16 output of shape [-1, -1]`);
  }
  if (!text) throw new Error(`task ${task} needs text with a tokenizer`);
  const tokenizer = openAlignedTokenizer(text, assets);
  const preprocess = windowed({ ...manifest, text }, tokenizer, limits);

  function numbersFrom(outputs: Tensors, output: string, { feeds }: Run) {
    const data = numbersOf(outputs[output]?.data);
    if (data && data.length === feeds["input_ids"]?.data.length) return data;
    throw new NearcastError(
      "model_corrupt",
      `Output ${output} of ${name} does not have a number for each token.`,
    );
  }

  return {
    maxTokens: text.maxLength,
    quantities: QUANTITIES,
    outputNames: [spans.start, spans.end],
    answerBytes({ context }, { top_k: topK, max_answer_len: longest }) {
      const inputs = new Set((context as TextWindow[]).map(({ input }) => input));
      const tokens = Math.min(longest, text.maxLength);
      return inputs.size * topK * (ANSWER_BYTES + tokens * TOKEN_BYTES);
    },
    preprocess(rows, { pathOf, parameters, sentBytes }) {
      const { max_seq_len: length = Math.min(text.maxLength, USUAL_LENGTH) } = parameters;
      const { doc_stride: stride = Math.min(Math.floor(length / 2), USUAL_STRIDE) } = parameters;
      if (length > text.maxLength)
        throw invalidInput([
          {
            path: "parameters.max_seq_len",
            message: `must be at most ${text.maxLength}, the model's tokens`,
          },
        ]);
      checkStride(stride, length, "doc_stride");
      const issues: InputIssue[] = [];
      const given = rows.map((row, input) => readQuestion(row, pathOf(input), limits, issues));
      if (issues.length > 0) throw invalidInput(issues);
      return preprocess(given, { maxLength: length, stride, sentBytes });
    },
    *postprocess(outputs, run, parameters) {
      const starts = numbersFrom(outputs, spans.start, run);
      const ends = numbersFrom(outputs, spans.end, run);
      const width = starts.length / run.rows;
      const made: WindowAnswers[] = [];
      for (const [row, window] of (run.context as TextWindow[]).entries()) {
        if (row % ROWS_AT_ONCE === ROWS_AT_ONCE - 1) yield;
        const [from, to] = [row * width, (row + 1) * width];
        const numbers = [starts.subarray(from, to), ends.subarray(from, to)] as const;
        made.push(answersIn(window, numbers, tokenizer.classId, parameters));
      }
      return made;
    },
    combine(answers, runs, parameters) {
      const byInput: WindowAnswers[][] = [];
      const windows = runs.flatMap(({ context }) => context as TextWindow[]);
      for (const [at, { input }] of windows.entries())
        (byInput[input] ??= []).push(answers[at] as WindowAnswers);
      return byInput.map((parts) => bestAnswers(parts, parameters));
    },
  };
}

/** Others may take turns after so many rows. */
const ROWS_AT_ONCE = 8;

const QUANTITIES: readonly Quantity[] = [
  TOKENS,
  {
    name: "context_length",
    of: "input",
    kind: "number",
    each({ inputs = [] }, take) {
      for (const input of inputs) take((input as QuestionInput).context.length);
    },
  },
  answerNumber("score", (answer) => (answer as Answer[])[0]?.score),
  answerNumber("length", (answer) => (answer as Answer[])[0]?.answer.length),
];
