import { invalidInput, NearcastError } from "./errors.ts";
import { checkInputs, checkOutputNames } from "./model/check-tensors.ts";
import type { Manifest } from "./model/manifest.ts";
import type { Model, Registry } from "./model/registry.ts";
import type { Sessions } from "./model/sessions.ts";
import type { Config } from "./config.ts";
import type { Phases } from "./phases.ts";
import type { Statistics } from "./statistics.ts";
import type { Tensors } from "./tensor.ts";

export interface PredictCall {
  model: string;
  /** The released version when absent. */
  version?: string | undefined;
  /** One input, or an array of them, as the model's task has it. */
  inputs: unknown;
  /** What the model's task honours, such as `top_k`. */
  parameters: unknown;
}

export interface Prediction {
  manifest: Manifest;
  /** One answer for one input, an array of answers for an array of inputs. */
  outputs: unknown;
}

export type Predict = (call: PredictCall, phases: Phases) => Promise<Prediction>;

export interface InferCall {
  model: string;
  /** The released version when absent. */
  version?: string | undefined;
  /** Reads the request once the model is known. */
  read: (model: Model) => InferInputs | Promise<InferInputs>;
}

export interface InferInputs {
  tensors: Tensors;
  /** The outputs to compute; all of them when absent or empty. */
  outputNames?: readonly string[] | undefined;
}

export interface Inference {
  manifest: Manifest;
  /** In the order asked for, or the manifest's. */
  tensors: Tensors;
}

export type Infer = (call: InferCall, phases: Phases) => Promise<Inference>;

/** What the paths share: where models come from, where they run, and what counts them. */
export interface PathServices {
  registry: Registry;
  sessions: Sessions;
  statistics: Statistics;
  config: Config;
}

/**
 * The predict path. Rejects with `unknown_model`, `unknown_version`, `invalid_input`, and what loading
 * the model can meet: `store_unavailable`, `model_corrupt`, `model_too_large`.
 */
export function createPredict(services: PathServices): Predict {
  const { registry, sessions, statistics, config } = services;
  return async function predict(call, phases) {
    const { manifest, task } = await phases.time("resolve", () =>
      registry.resolve(call.model, call.version),
    );
    const postprocess = task.postprocessor(call.parameters);
    const batch = task.isBatch(call.inputs);
    const rows = batch ? (call.inputs as unknown[]) : [call.inputs];
    checkBatch(rows, config.limits.batch);
    const feeds = await phases.time("preprocess", () =>
      task.preprocess(rows, batch ? (row) => `inputs[${row}]` : () => "inputs"),
    );
    const answers = await statistics.count(manifest, rows.length, phases, async () => {
      const lease = await phases.time("load", () => sessions.acquire(manifest));
      const results = await phases
        .time("run", () => lease.session.run(feeds, task.outputNames))
        .finally(lease.end);
      return phases.time("postprocess", () => postprocess(results, rows.length));
    });
    return { manifest, outputs: batch ? answers : answers[0] };
  };
}

/**
 * The same path for tensors: resolve, check against the manifest, run. Rejects as the predict path
 * does; tensors that ONNX Runtime cannot compute with (an index out of range) are `invalid_input`.
 */
export function createInfer({ registry, sessions, statistics }: PathServices): Infer {
  return async function infer(call, phases) {
    const model = await phases.time("resolve", () => registry.resolve(call.model, call.version));
    const { manifest } = model;
    const { feeds, outputNames } = await phases.time("preprocess", async () => {
      const inputs = await call.read(model);
      checkInputs(manifest, inputs.tensors);
      const outputNames = checkOutputNames(manifest, inputs.outputNames);
      return { feeds: inputs.tensors, outputNames };
    });
    const rows = Object.values(feeds)[0]?.shape[0] ?? 1;
    const tensors = await statistics.count(manifest, rows, phases, async () => {
      const lease = await phases.time("load", () => sessions.acquire(manifest));
      return phases
        .time("run", () => lease.session.run(feeds, outputNames).catch(refusedTensors))
        .finally(lease.end);
    });
    return { manifest, tensors };
  };
}

const LONGEST_REASON = 300;

function refusedTensors(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new NearcastError(
    "invalid_input",
    `ONNX Runtime cannot compute with these tensors: ${reason.slice(0, LONGEST_REASON)}`,
    { cause },
  );
}

/** Throws `invalid_input` for no input at all, or for more than the limit. */
export function checkBatch(rows: readonly unknown[], limit: number): void {
  if (rows.length === 0) throw invalidInput([{ path: "inputs", message: "must not be empty" }]);
  if (rows.length > limit)
    throw invalidInput([
      { path: "inputs", message: `must have at most ${limit} inputs, has ${rows.length}` },
    ]);
}
