import * as z from "zod";
import { checkBody, type NearcastError } from "../errors.ts";
import type { Limits } from "../model/limits.ts";
import { manifestFields, type Manifest, type ManifestOf } from "../model/manifest.ts";
import type { Tensors } from "../tensor.ts";
import type { DecodeElsewhere } from "./image/elsewhere.ts";
import type { LoadDecoder } from "./image/formats.ts";

/** One run of the session: tensors for one or more rows of a request. */
export interface Run {
  feeds: Tensors;
  rows: number;
  /** How many tokens the rows have, with special tokens and without padding. */
  tokens?: number;
  /** How many pixels the rows' images have, decoded. */
  pixels?: number;
  /** How many seconds the rows' recordings last. */
  seconds?: number;
  /**
   * Anything that postprocessing needs to know of the rows. Only the task reads it. An array has one item for each row,
   * and is split with them.
   */
  context?: unknown;
}

/** Work that is done at once, later, or in parts that let others take turns between them. */
export type InParts<T> = T | Parts<T> | Promise<T | Parts<T>>;
/** It yields after each part: nothing, or what is done elsewhere before the next one and never rejects. */
export type Parts<T> = Generator<(() => Promise<void>) | undefined, T, undefined>;

/**
 * What to do with a text of more tokens than the model takes: cut it as its tokenizer does (the default), cut its beginning
 * off (left) or its end (right), or refuse it.
 */
export type LongTexts = "cut" | "cut-left" | "cut-right" | "refuse";

/** The path of a row in the request, for error messages: `inputs` or `inputs[3]`. */
export type PathOf = (row: number) => string;

/** The files that a manifest lists as assets, by name. Their digests were checked. */
export type Assets = ReadonlyMap<string, Uint8Array>;

/** What preprocessing gets besides the inputs. */
export interface PreprocessOptions<Parameters> {
  pathOf: PathOf;
  parameters: Parameters;
  longTexts?: LongTexts | undefined;
  /** How many bytes of the request came, compressed or not. Undefined where none came over a wire. */
  sentBytes?: number | undefined;
}

/** How to treat missing values in tensors that the dialect reads instead of the task. */
export interface MissingValues {
  /**
   * Replaces each null of JSON with the value that the graph gets. Throws `invalid_input` where a value must not be
   * missing.
   */
  fill: (input: string, values: readonly unknown[], path: string) => readonly unknown[];
  /** Does the same for NaN, in a copy of the tensor's data. */
  check: (feeds: Tensors) => void;
}

/** Turns the inputs of one version into tensors, and its tensors into answers. Compiled once. */
export interface CompiledTask<Parameters = unknown> {
  /** Whether `inputs` are several inputs or one. When absent, an array means several. */
  isBatch?(inputs: unknown): boolean;
  /** Whether an input may also be an array of the features' values, in the manifest's order. */
  byPosition?: boolean;
  /**
   * Whether feeds and outputs are large, are the call's alone, and no answer keeps a view of them. Then their memory is given
   * back with the answer.
   */
  spendsTensors?: boolean;
  /** Turns inputs into runs, in order. Throws `invalid_input` with the path of every bad row. */
  preprocess(
    rows: readonly unknown[],
    options: PreprocessOptions<Parameters>,
  ): InParts<readonly Run[]>;
  /** Absent where NaN is an ordinary value and null is not allowed. */
  missing?: MissingValues;
  /**
   * The most tokens of a row in tensors that the dialect reads instead of the task. Absent where tensors are not
   * tokens.
   */
  maxTokens?: number;
  /** The most samples of sound of a run in such tensors, in all rows. Absent where tensors are not samples. */
  maxSamples?: number;
  /** Whether postprocessing reads the runs' contexts, which a client's own tensors lack: of those it makes no answers. */
  readsContext?: boolean;
  /**
   * Runs the graph once for each part of a run, where a part needs what the graph made of the one before. It yields the
   * feeds of a part, gets their outputs, and returns those of the whole run. Absent where a run is one run of the graph.
   */
  steps?(feeds: Tensors): Generator<Tensors, Tensors, Tensors>;
  /** The outputs to compute. */
  outputNames: readonly string[];
  /**
   * About how many bytes of JSON the answers of a run will have. A run with too many is refused before it starts.
   * Absent where only the outputs show it, or where answers are always small.
   */
  answerBytes?(run: Run, parameters: Parameters): number;
  /** The same, from the outputs of a run before they become JSON. */
  outputBytes?(outputs: Tensors): number;
  /** The same, from the answers of a run, where only they show it. */
  madeBytes?(answers: readonly unknown[]): number;
  /** Makes one answer for each row of the run, large ones in parts. */
  postprocess(outputs: Tensors, run: Run, parameters: Parameters): unknown[] | Parts<unknown[]>;
  /**
   * Makes the answers of what `postprocess` made, where that takes long and needs no outputs: other models run meanwhile.
   */
  write?(made: readonly unknown[], run: Run, parameters: Parameters): Parts<unknown[]>;
  /** How many bytes what `postprocess` makes of the run takes until it is written. Calls wait for one another's. */
  unwrittenBytes?(run: Run): number;
  /**
   * Makes the answers of the inputs from those of all rows, where an input may be several rows, or its answer depends on
   * the runs' contexts.
   */
  combine?(answers: readonly unknown[], runs: readonly Run[], parameters: Parameters): unknown[];
  /** What is compared with training, for drift. None when absent. */
  quantities?: readonly Quantity[];
  /** The error for a failed run. Absent where a checked input can fail only with a bad model. */
  refusal?(cause: unknown): NearcastError;
}

/** A part of a call that has succeeded, as its task sees it. */
export interface Seen {
  /** The inputs as they came, with what was looked up. Undefined where the dialect had tensors instead. */
  inputs: readonly unknown[] | undefined;
  runs: readonly Pick<Run, "feeds" | "rows" | "context">[];
  /** Where an input's looked-up features are from, by name. Absent where none were looked up. */
  featuresOf?: ((row: number) => Readonly<Record<string, unknown>>) | undefined;
  /** An answer for each input. Undefined where the dialect gave tensors instead. */
  answers: readonly unknown[] | undefined;
}

/** A number or a text for each input or answer, whose distribution is compared with that of training. */
export interface Quantity {
  /** A feature, or what a task measures, such as `tokens`. */
  name: string;
  of: "input" | "prediction";
  kind: "number" | "category";
  /** The categories that are known, for those that have few. Otherwise the data decides. */
  categories?: readonly string[] | undefined;
  /** Gives each value to `take`: undefined or NaN where it is missing. Gives none where the call does not show it. */
  each(seen: Seen, take: (value: number | string | undefined) => void): void;
}

/** The version that a task compiles. */
export interface TaskVersion<Options extends z.ZodRawShape> {
  manifest: ManifestOf<Options>;
  limits: Limits;
  assets: Assets;
  /** The platform's decoders of images. */
  loadDecoder: LoadDecoder;
  /** Decodes large images where they keep nobody waiting. Absent where the platform has no threads. */
  decodeElsewhere?: DecodeElsewhere | undefined;
}

/**
 * The kind of one input. Dialects read requests by it: `features` can come as rows of a table, `text`, `image` and `audio`
 * as bytes. `tensors` have their own batch dimension. `json` is anything else.
 */
export type InputKind = "features" | "text" | "image" | "audio" | "tensors" | "json";

export type JsonSchema = Record<string, unknown>;

/** How far scores are from the share of right answers that they promise. */
export interface Calibration {
  /** The expected calibration error, from 0 to 1. */
  error: number;
  bins: number;
  rows: number;
  /** The error that calibrated scores stay within in 99 of 100 data sets of this size. */
  bound: number;
}

export interface QualityOptions {
  /** How many items of an answer count, where it is a list. */
  k: number;
  /** Those of the predictions, as they were asked for. */
  parameters?: Record<string, unknown> | undefined;
}

/** How `nearcast eval` measures the answers of a task. */
export interface Quality {
  /** The parameters of the predictions to measure. */
  parameters?: Record<string, unknown>;
  /** The most rows of one prediction, where inputs are large. */
  rows?: number;
  /** What is wrong with a label in the data, in words. Undefined when it is right. */
  problemWith?(truth: unknown): string | undefined;
  /**
   * The input that a label names, such as the text that a query should find. It is answered too, and so are the inputs
   * without a label, each once. Gets inputs too, and gives equal ones in one form.
   */
  target?(truth: unknown): unknown;
  /** Among how many things a label is found, of so many targets. Undefined where nothing is searched. */
  searched?(truths: readonly unknown[], targets: number): number | undefined;
  /** The parameters of those predictions. */
  targetParameters?: Record<string, unknown>;
  /** Metrics by name, the main one first. `targets`: the answers of what labels name and of inputs without one, by input. */
  metrics(
    truths: readonly unknown[],
    answers: readonly unknown[],
    targets?: ReadonlyMap<unknown, unknown>,
  ): Record<string, number>;
  /** Metrics where less is better. */
  lessIsBetter?: readonly string[];
  /** How well scores say how often the answer is right. Undefined, or absent, where they do not say it. */
  calibration?(truths: readonly unknown[], answers: readonly unknown[]): Calibration | undefined;
  /** Counts by true label and answered label. Absent where answers are not labels. */
  confusion?(
    truths: readonly unknown[],
    answers: readonly unknown[],
  ): { labels: string[]; counts: number[][] };
}

export interface TaskDefinition<Options extends z.ZodRawShape, Parameters> {
  /** The name that manifests give as `task`, such as `text-classification`. */
  name: string;
  /** The input and the answer, in one sentence. */
  about?: string;
  /** The fields of the manifest that only this task has. */
  options: Options;
  /** The schema of a request's `parameters`. What it makes of none is made once, for all calls, and frozen. */
  parameters: z.ZodType<Parameters>;
  input: InputKind;
  /**
   * Whether the graph's inputs have different things in their first dimensions, so that no two runs may be joined: the
   * manifest's `batchDimension` is then null, and the task itself makes the runs that the graph takes.
   */
  hasOwnBatches?: boolean;
  /**
   * Whether an answer may have a `state`, a text that only its version reads, and the parameters the `state` of the answer
   * before.
   */
  carriesState?: boolean;
  /**
   * Makes a version ready. Import heavy code here: a cold start then pays only for the models that it needs. Throws an
   * Error that says what the manifest lacks.
   */
  compile(
    version: TaskVersion<Options>,
  ): CompiledTask<Parameters> | Promise<CompiledTask<Parameters>>;
  /** The JSON Schemas of one input and of its answer, for the API's description. */
  schema(manifest: ManifestOf<Options>): { input: JsonSchema; output: JsonSchema };
  /** Makes inputs with which `nearcast add` tries a new version. None when absent. */
  examples?(manifest: ManifestOf<Options>): unknown[] | Promise<unknown[]>;
  /** Says how to measure answers. Absent where they cannot be compared with labels. */
  quality?(
    manifest: ManifestOf<Options>,
    options: QualityOptions,
  ): Quality | Promise<Quality | undefined>;
}

/** A task, made by {@link defineTask} and given to `createService`. */
export interface Task extends Omit<
  TaskDefinition<z.ZodRawShape, unknown>,
  "compile" | "schema" | "examples" | "quality"
> {
  /** The schema of the manifests of this task. */
  manifestSchema: z.ZodType<Manifest>;
  compile(
    version: Omit<TaskVersion<z.ZodRawShape>, "manifest"> & { manifest: Manifest },
  ): Promise<CompiledTask> | CompiledTask;
  schema(manifest: Manifest): { input: JsonSchema; output: JsonSchema };
  examples?(manifest: Manifest): unknown[] | Promise<unknown[]>;
  quality?(manifest: Manifest, options: QualityOptions): Quality | Promise<Quality | undefined>;
}

/**
 * Defines a task: the work before and after the model, for all versions whose manifests name it.
 *
 * @example
 * const doubled = defineTask({
 *   name: "doubled",
 *   options: { factor: z.number().default(2) },
 *   parameters: z.strictObject({}),
 *   input: "json",
 *   compile: ({ manifest }) => ({
 *     preprocess: (rows) => [
 *       {
 *         feeds: { x: { datatype: "FP32", shape: [rows.length, 1], data: Float32Array.from(rows as number[]) } },
 *         rows: rows.length,
 *       },
 *     ],
 *     outputNames: ["y"],
 *     postprocess: ({ y }) => Array.from(y!.data as Float32Array, (value) => value * manifest.factor),
 *   }),
 *   schema: () => ({ input: { type: "number" }, output: { type: "number" } }),
 * });
 */
export function defineTask<const Options extends z.ZodRawShape, Parameters>(
  definition: TaskDefinition<Options, Parameters>,
): Task {
  const { name, options } = definition;
  for (const field of Object.keys(options))
    if (Object.hasOwn(manifestFields, field))
      throw new Error(
        `Task ${name}: every manifest has the field ${field}; choose another name for the option.`,
      );
  let schema: z.ZodType | undefined;
  return {
    // Manifests are read with the schema below, so they have the options of their task.
    ...(definition as unknown as Omit<Task, "manifestSchema">),
    get manifestSchema() {
      schema ??= z.strictObject({ ...manifestFields, task: z.literal(name), ...options });
      return schema as z.ZodType<Manifest>;
    },
  };
}

/** What the schemas of tasks make of no parameters. Most calls have none. */
const defaults = new WeakMap<z.ZodType, unknown>();

/** Reads a request's `parameters`. Absent means none. Throws `invalid_input`. */
export function parseParameters<T>(schema: z.ZodType<T>, parameters: unknown): T {
  if (parameters === undefined && defaults.has(schema)) return defaults.get(schema) as T;
  const read = checkBody(schema, parameters ?? {}, ["parameters"]);
  if (parameters === undefined) defaults.set(schema, Object.freeze(read));
  return read;
}
