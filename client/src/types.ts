/** The types of one model's input, output and parameters. */
export interface ModelTypes {
  /** One input. Several inputs are an array. */
  input: unknown;
  /** The answer to one input. */
  output: unknown;
  /** The type of `parameters`, such as `{ top_k?: number }`. */
  parameters: unknown;
}

/** Types by a model's name. */
export type ModelsOf<Models> = { [Name in keyof Models]: ModelTypes };

/** The names of the models whose answer is of this type, and of those whose answer is unknown. */
export type ModelsWith<Models extends ModelsOf<Models>, Answer> = {
  [Name in keyof Models & string]: unknown extends Models[Name]["output"]
    ? Name
    : Models[Name]["output"] extends Answer
      ? Name
      : never;
}[keyof Models & string];

/** The models of a client without types: any name, any input, unknown answers. */
export type AnyModels = Record<string, ModelTypes & { parameters: Record<string, unknown> }>;

/**
 * An image (JPEG, PNG or WebP): its bytes, a file or blob, or base64 text with or without `data:…;base64,` before it.
 */
export type ImageInput = Uint8Array | Blob | string;

/** A recording (WAV): its bytes, a file or blob, or base64 text with or without `data:…;base64,` before it. */
export type AudioInput = Uint8Array | Blob | string;

/**
 * The answer of the classification tasks.
 *
 * @example
 * interface Models {
 *   digits: { input: ImageInput; output: Classification<"0" | "1">; parameters: { top_k?: number } };
 * }
 */
export interface Classification<Label extends string = string> {
  /** The graph's own label. Without one, the label with the highest score. */
  label: Label;
  /** For independent labels: all that the model reports. */
  labels?: Label[];
  /** The score of the label: a probability. */
  score: number;
  /** The score of every label, or of the `top_k` highest. */
  scores: Partial<Record<Label, number>>;
}

/** The answer of a classification model that has no probabilities, such as a support vector machine. */
export interface Decision<Label extends string = string> {
  /** The graph's own label. */
  label: Label;
  /**
   * The decision value of every label. With two labels, only the second has one; it is above 0 when that label is the
   * answer.
   */
  decision_values: Partial<Record<Label, number>>;
}

/** The answer of the task `tabular-regression`. */
export interface Regression {
  value: number;
  /** The unit of the value, if the model has one. */
  unit?: string;
}

/** The task `recommendation` answers with an array of these, best first. */
export interface RecommendedItem {
  id: string;
  name: string;
  score: number;
}

/** The task `token-classification` answers with an array of these, in the order of the text. */
export interface Entity {
  /** The label of joined tokens. */
  entity_group?: string;
  /** The label of one token, with `aggregation_strategy: "none"`. */
  entity?: string;
  score: number;
  word: string;
  /** The first character. Counts Unicode characters: use `Array.from(text)` where a text may have emoji. */
  start: number;
  /** One after the last character. */
  end: number;
}

/** The task `question-answering` answers with an array of these, best first. */
export interface FoundAnswer {
  answer: string;
  score: number;
  /** The first character. Counts Unicode characters: use `Array.from(context)` where a text may have emoji. */
  start: number;
  /** One after the last character. */
  end: number;
}

/** The tasks `zero-shot-classification` and `zero-shot-image-classification` answer with an array of these, best first. */
export interface ScoredLabel<Label extends string = string> {
  label: Label;
  score: number;
}

/** The answer of the task `image-to-text`. */
export interface ReadText {
  generated_text: string;
  /** The mean probability of its characters. Absent where the graph gives none. */
  score?: number;
}

/** The task `fill-mask` answers with an array of these, likeliest first; with several masks, an array for each. */
export interface FilledMask {
  score: number;
  /** The token's number in the vocabulary. */
  token: number;
  token_str: string;
  /** The text with the token in the mask's place. */
  sequence: string;
}

/** The answer of the task `voice-activity-detection`. Times are seconds from the beginning of the recording or stream. */
export interface VoiceActivity {
  /** Where somebody speaks, in order. Of a piece of a stream: the segments that it completes. */
  segments: { start: number; end: number }[];
  /** With `return_state`: where the speech begins that goes on. */
  speaking_since?: number;
  /** With `return_probabilities`: that of each window. */
  probabilities?: number[];
  /** With `return_state`: for the next call's parameter `state`. */
  state?: string;
}

/** The answer of the task `feature-extraction`: the vector of a text. */
export type Vector = number[];

/** The answer of the task `sentence-similarity`: a number for each of the sentences, from -1 to 1. */
export type Similarities = number[];

/** The answer of the task `feature-extraction` with `"pooling": "splade"`: the numbers that are not 0, by token. */
export type SparseVector = { index: number; value: number }[];

/** The answers of the task `feature-extraction`: with `"pooling": "none"`, a vector for each token. */
export type Embedding = Vector | Vector[] | SparseVector;

/** The task `text-ranking` answers with an array of these, best first. */
export interface RankedText {
  /** The text's place in the request, from 0. */
  index: number;
  score: number;
  /** With `return_text`. */
  text?: string;
}

/** A document of `client.rerank`. */
export interface RankedDocument {
  /** Its place among the documents that were given, from 0. */
  index: number;
  score: number;
  document: string;
}

export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "canceled" | "expired";

declare const output: unique symbol;

/** A prediction that is answered later. Times are as ISO 8601 writes them. */
export interface Job<Output = unknown> {
  id: string;
  status: JobStatus;
  model: string;
  /** The version that answers. It was decided when the job was made. */
  version: string;
  digest: string;
  created_at: string;
  started_at?: string;
  ended_at?: string;
  /** From then on nobody sees it any more. */
  expires_at: string;
  /** The type of its answer. No job has this member. */
  readonly [output]?: Output;
}

/** A status that a job got. */
export interface JobEvent {
  /** The job's id. */
  id: string;
  status: JobStatus;
  /** Since when, as ISO 8601 writes it. */
  at: string;
}

/** Whether an outcome was counted now, or was known before. */
export type FeedbackStatus = "counted" | "known";

/** An answer, and what computed it. */
export interface Prediction<Output> {
  model: string;
  version: string;
  /** The artifact that computed it, as `sha256:…`. Empty when a proxy or CORS hides `X-Model-Digest`. */
  digest: string;
  /** The request's id in the service's log. Empty when a proxy or CORS hides `X-Request-Id`. */
  requestId: string;
  outputs: Output;
}

/** A released model in the list of models. */
export interface ModelSummary {
  name: string;
  /** The version that answers. */
  version: string;
  /** Every version in the store. */
  versions: string[];
  /** Such as `tabular-classification`, or the name of a task of your own. */
  task: string;
  description: string;
}

/** The public part of a version's manifest. The task's own options are further members. */
export interface ModelDescription extends ModelSummary {
  /** The version that answers when none is named. */
  released: string;
  ready: boolean;
  license?: string;
  /** The graph's tensors. The inputs of a prediction are the task's instead. */
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  artifact: { file: string; sha256: string; bytes: number };
  /** Tabular tasks: the features of an input. */
  features?: Feature[];
  /** Which features the service looks up where an input does not have them, and the keys that say whose. */
  lookup?: {
    keys: { name: string; type: "integer" | "string"; description?: string }[];
    features: { name: string }[];
  };
  /** Classification tasks: the possible labels of an answer. */
  labels?: string[];
  examples: { input?: unknown; output?: unknown }[];
  metrics: { name: string; value: number; dataset: string; rows?: number }[];
  [option: string]: unknown;
}

/** One value of a tabular input. */
export interface Feature {
  name: string;
  type: "number" | "integer" | "boolean" | "string";
  description?: string;
  minimum?: number;
  maximum?: number;
  unit?: string;
  /** The possible strings of a string feature. */
  categories?: string[];
  /** What the graph gets in place of a missing value. When absent, the value may not be missing. */
  missing?: number | string | boolean;
}

/** Which version gets what. The counts are further members. */
export interface Rollout {
  model: string;
  /** The version that answers who gets no candidate. */
  stable: string;
  /** Decides with the key who gets which candidate. */
  salt: string;
  /** How often the release was changed. */
  revision: number;
  candidates: RolloutCandidate[];
  [member: string]: unknown;
}

/** A version on trial. */
export interface RolloutCandidate {
  version: string;
  /** Its share of the traffic in percent. Absent where it only gets copies. */
  percent?: number;
  /** The share of the traffic of which it gets a copy, in percent. */
  shadow?: number;
  [member: string]: unknown;
}

/** The version that a key gets, and why. */
export interface Assignment {
  version: string;
  reason: "stable" | "candidate";
}

/** A tensor of the graph; -1 in its shape is any size. */
export interface TensorInfo {
  name: string;
  datatype: Datatype;
  shape: number[];
}

/** Datatypes by their Open Inference Protocol name. */
export type Datatype =
  | "BOOL"
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "UINT8"
  | "UINT16"
  | "UINT32"
  | "UINT64"
  | "FP16"
  | "FP32"
  | "FP64"
  | "BYTES";

/** The answer of `GET /health`. */
export interface Health {
  status: "ok";
}

/** One thing wrong with an input. */
export interface InputIssue {
  /** Written as in JavaScript: `inputs[3].sepal_width`. */
  path: string;
  message: string;
}

/** The body of an error (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ServiceErrorCode;
  requestId: string;
  /** The detail again, for clients of older conventions. */
  error: string;
  errors?: InputIssue[];
}

/** The codes that the service answers with. A newer service may have more. */
export type ServiceErrorCode =
  | "malformed_request"
  | "malformed_json"
  | "unauthorized"
  | "forbidden"
  | "not_acceptable"
  | "not_found"
  | "unknown_model"
  | "unknown_version"
  | "method_not_allowed"
  | "request_timeout"
  | "body_too_large"
  | "conflict"
  | "unsupported_media_type"
  | "range_not_satisfiable"
  | "invalid_input"
  | "rate_limited"
  | "client_closed_request"
  | "internal"
  | "model_corrupt"
  | "model_untrusted"
  | "features_invalid"
  | "features_unavailable"
  | "features_late"
  | "authentication_not_configured"
  | "authentication_unavailable"
  | "overloaded"
  | "runtime_failed"
  | "shutting_down"
  | "store_unavailable"
  | "deadline_exceeded"
  | "answer_too_large"
  | "out_of_memory"
  | "region_unavailable"
  | "loop_detected"
  | "model_too_large";
