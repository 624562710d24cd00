import { invalidInput } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Resolved } from "../../model/registry.ts";
import type { ClassificationManifest } from "../../tasks/classification/options.ts";
import type { LongTexts } from "../../tasks/define.ts";
import { labelScores } from "../label-scores.ts";
import { cosinesToFirst, readSimilarity } from "../similarity.ts";
import { checkForm, checkNormalize, isUnitLength, shortened, toUnit } from "../vectors.ts";
import { refuseFile } from "../../predict.ts";
import { readVectorParameters, rowsOfTable, type Question } from "./request.ts";

/** What one task makes of a request. */
export interface Asked {
  inputs: unknown;
  /** Those of the model's task. */
  parameters?: object;
  longTexts?: LongTexts;
  /** Makes what Hugging Face answers of the task's outputs. */
  answer: (outputs: unknown) => unknown;
}

/** Throws `invalid_input` for a question that the task does not answer. */
type Form = (question: Question, version: Resolved) => Asked;

const plain: Form = ({ inputs, parameters }) => ({
  inputs,
  parameters,
  answer: (outputs) => outputs,
});

const labels: Form = (
  { inputs, parameters: { function_to_apply: activation, ...parameters } },
  { manifest },
) => {
  const own = (manifest as ClassificationManifest).scores?.activation;
  if (activation !== undefined && activation !== own) {
    const message = `must be ${own ? `"${own}" or ` : ""}absent: the model has its own`;
    throw invalidInput([{ path: "parameters.function_to_apply", message }]);
  }
  return {
    inputs,
    parameters,
    answer: (outputs) => [outputs].flat().map((output) => labelScores(output as object)),
  };
};

const fileLabels: Form = (question, version) => {
  const asked = labels(question, version);
  if (Array.isArray(question.inputs)) return asked;
  return { ...asked, answer: (outputs) => (asked.answer(outputs) as unknown[])[0] };
};

/** A list of one text for each picture, as `pipeline` has it. */
const texts: Form = (question, version) => ({
  ...plain(question, version),
  answer: (outputs) =>
    Array.isArray(question.inputs) ? (outputs as unknown[]).map((one) => [one]) : [outputs],
});

const best = (answers: unknown) => (answers as unknown[])[0] ?? answers;

/** The answer to one question is an object, unless several were asked for. */
const answersToQuestion: Form = (question, version) => {
  const asked = plain(question, version);
  const { top_k: most = 1 } = question.parameters;
  if (most !== 1) return asked;
  const isMany = Array.isArray(question.inputs);
  return {
    ...asked,
    answer: (outputs) => (isMany ? (outputs as unknown[]).map(best) : best(outputs)),
  };
};

const vectors: Form = ({ inputs, parameters }, version) => {
  const { normalize, dimensions, others, ...rest } = readVectorParameters(parameters);
  checkNormalize(version, normalize);
  checkForm(version, { dimensions });
  const changes =
    dimensions !== undefined || (normalize === true && !isUnitLength(version.manifest));
  return {
    inputs: [inputs].flat(),
    parameters: others,
    ...rest,
    answer: (outputs) =>
      changes
        ? (outputs as unknown[]).map((vector) => {
            const numbers = shortened(vector, dimensions);
            return normalize === true ? toUnit(numbers) : numbers;
          })
        : outputs,
  };
};

const similarity: Form = ({ inputs, parameters }, { manifest }) => {
  const { normalize, dimensions, others, ...rest } = readVectorParameters(parameters);
  if (normalize !== undefined || dimensions !== undefined)
    throw invalidInput([
      { path: "parameters", message: "of a comparison are neither normalize nor dimensions" },
    ]);
  const { texts, compared } = readSimilarity(inputs);
  const isOwn = manifest.task === "sentence-similarity";
  return {
    inputs: isOwn ? compared : texts,
    parameters: others,
    ...rest,
    answer: (outputs) => (isOwn ? outputs : cosinesToFirst(outputs as unknown[])),
  };
};

/** As `predict` of scikit-learn: a class for each row, and of independent labels an array of those that apply. */
const tableLabels: Form = ({ inputs }, version) => ({
  inputs: rowsOfTable(version, inputs),
  answer: (outputs) =>
    (outputs as { label: string; labels?: string[] }[]).map(({ label, labels }) => labels ?? label),
});

/** A number for each row, and of several targets an array of them, in the manifest's order. */
const tableNumbers: Form = ({ inputs }, version) => ({
  inputs: rowsOfTable(version, inputs),
  answer: (outputs) =>
    (outputs as { value: number; values?: Record<string, number> }[]).map(({ value, values }) =>
      values ? (version.manifest.labels ?? []).map((target) => values[target]) : value,
    ),
});

const FORMS: Readonly<Record<string, Form>> = {
  "text-classification": labels,
  "token-classification": plain,
  "zero-shot-classification": plain,
  "question-answering": answersToQuestion,
  "fill-mask": plain,
  "text-ranking": plain,
  "feature-extraction": vectors,
  "sentence-similarity": similarity,
  "image-classification": fileLabels,
  "image-feature-extraction": plain,
  "zero-shot-image-classification": plain,
  "audio-classification": fileLabels,
  "voice-activity-detection": plain,
  "object-detection": plain,
  "image-segmentation": plain,
  "image-to-text": texts,
  "tabular-classification": tableLabels,
  "tabular-regression": tableNumbers,
};

/** The tasks that are answered. */
export const TASKS = Object.keys(FORMS);

/**
 * What a model of this kind makes of the request. A model of vectors compares sentences too. Throws `invalid_input` where
 * the model does not do the task of the path, or Hugging Face has no form for its answers.
 */
export function ask(
  question: Question,
  version: Resolved,
  { kind, task }: { kind: string; task: string | undefined },
): Asked {
  const wanted =
    task ?? (kind === "feature-extraction" && compares(question) ? "sentence-similarity" : kind);
  const isOwn =
    wanted === kind || (wanted === "sentence-similarity" && kind === "feature-extraction");
  const form = FORMS[wanted];
  if (question.inputs instanceof Uint8Array) refuseFile(version.task.input, "inputs");
  if (isOwn && form) return form(question, version);
  const message =
    form && task
      ? `has the task ${kind}, not ${task}`
      : `has the task ${kind}, which this API has no form for: ask ${pathOf(version.manifest)}`;
  throw invalidInput([{ path: "model", message }]);
}

function compares({ inputs }: Question): boolean {
  return typeof inputs === "object" && inputs !== null && "source_sentence" in inputs;
}

function pathOf({ name }: Manifest): string {
  return `/v1/models/${name}/predict`;
}
