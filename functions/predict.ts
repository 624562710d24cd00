import type { Turns } from "./load/admission.ts";
import { invalidInput, NearcastError } from "./errors.ts";
import { checkInputs, checkOutputNames } from "./tasks/check-tensors.ts";
import type { Manifest } from "./model/manifest.ts";
import { loggedInputs } from "./observe/logged-inputs.ts";
import type { RegistryFor } from "./auth/access.ts";
import type { Model } from "./model/registry.ts";
import type { Sessions } from "./model/sessions.ts";
import { prepare } from "./load/prepare.ts";
import { rowsOfRuns } from "./limits/cost.ts";
import type { Charge } from "./limits/charge.ts";
import type { CachedRuns } from "./prediction-cache/cached-runs.ts";
import type { RequestContext } from "./http/exchange.ts";
import type { Statistics } from "./observe/statistics.ts";
import type { Tensors } from "./tensor.ts";
import { answerAll, runAll } from "./tasks/runs.ts";
import type { InParts, LongTexts, Run } from "./tasks/define.ts";

export interface PredictCall {
  model: string;
  /** The released version when absent. */
  version?: string | undefined;
  /** One input, or an array of them, as the model's task has it. */
  inputs: unknown;
  /** What the model's task honours, such as `top_k`. */
  parameters: unknown;
  /** What error messages call the inputs: the member of the request that they came in, `inputs` when absent. */
  member?: string;
  longTexts?: LongTexts;
}

export interface Prediction {
  manifest: Manifest;
  /** One answer for one input, an array of answers for an array of inputs. */
  outputs: unknown;
  /** How many tokens the inputs were; undefined where the model has no tokenizer of its own. */
  tokens: number | undefined;
}

export type Predict = (call: PredictCall, context: RequestContext) => Promise<Prediction>;

export interface InferCall {
  model: string;
  /** The released version when absent. */
  version?: string | undefined;
  /** Reads the request once the model is known. */
  read: (model: Model) => InParts<InferInputs>;
}

export interface InferInputs {
  /** One run of the session each. */
  runs: readonly Pick<Run, "feeds" | "rows">[];
  /** The outputs to compute; all of them when absent or empty. */
  outputNames?: readonly string[] | undefined;
}

export interface Inference {
  manifest: Manifest;
  /** A run's outputs each, in the order asked for, or the manifest's. */
  results: Tensors[];
}

export type Infer = (call: InferCall, context: RequestContext) => Promise<Inference>;

/** What the paths share: where models come from, where they run, and what counts them. */
export interface PathServices {
  registryFor: RegistryFor;
  sessions: Sessions;
  statistics: Statistics;
  /** Absent where there is no clock to measure turns by. */
  turns: Turns | undefined;
  /** Takes the cost of a request from the rates; absent where nothing is limited. */
  charge?: Charge;
  /** Runs of which the outputs may have been kept; absent where none are. */
  cachedRuns?: CachedRuns;
}

/**
 * The predict path. Rejects with `forbidden`, `unknown_model`, `unknown_version`, `invalid_input`, `rate_limited`,
 * `overloaded`, `deadline_exceeded`, and what loading the model or running it can meet.
 */
export function createPredict(services: PathServices): Predict {
  const { registryFor, statistics, charge } = services;
  return async function predict(call, context) {
    const { phases } = context;
    const { manifest, task, limits } = await resolve(registryFor, call, context);
    context.loggedInputs = loggedInputs(manifest, call.inputs);
    const postprocess = task.postprocessor(call.parameters);
    const batch = task.isBatch(call.inputs);
    const rows = batch ? (call.inputs as unknown[]) : [call.inputs];
    const member = call.member ?? "inputs";
    checkBatch(rows, limits.batch, member);
    const isTensor = manifest.task === "tensor";
    const paid = isTensor ? undefined : charge?.(context, manifest.name, rows.length);
    if (paid) await paid;
    const runs = await prepare(services.turns?.preparing, context, () =>
      task.preprocess(rows, batch ? (row) => `${member}[${row}]` : () => member, call.longTexts),
    );
    // A tensor's rows are in its shape.
    if (isTensor) await charge?.(context, manifest.name, rowsOfRuns(manifest, runs));
    const answers = await statistics.count(manifest, rows.length, context, async () => {
      const results = await execute(services, manifest, task, runs, context);
      return phases.time("postprocess", () => answerAll(postprocess, results, runs));
    });
    return { manifest, outputs: batch ? answers : answers[0], tokens: countTokens(runs) };
  };
}

/**
 * The same path for tensors: resolve, check against the manifest, run. Rejects as the predict path
 * does; tensors that ONNX Runtime cannot compute with (an index out of range) are `invalid_input`.
 */
export function createInfer(services: PathServices): Infer {
  const { registryFor, statistics, charge } = services;
  return async function infer(call, context) {
    const { phases } = context;
    const model = await resolve(registryFor, call, context);
    const { manifest } = model;
    const inputs = await prepare(services.turns?.preparing, context, () => call.read(model));
    const { runs } = inputs;
    const outputNames = phases.time("preprocess", () => {
      for (const { feeds } of runs) checkInputs(model, feeds);
      return checkOutputNames(manifest, inputs.outputNames);
    });
    const paid = charge?.(context, manifest.name, rowsOfRuns(manifest, runs));
    if (paid) await paid;
    const task = { outputNames, refusal: refusedTensors };
    const count = runs.reduce((sum, { rows }) => sum + rows, 0);
    const results = await statistics.count(manifest, count, context, () =>
      execute(services, manifest, task, runs, context),
    );
    return { manifest, results };
  };
}

/** The model asked for, as the caller may have predictions of it. */
async function resolve(
  registryFor: RegistryFor,
  { model: name, version }: { model: string; version?: string | undefined },
  context: RequestContext,
): Promise<Model> {
  const registry = registryFor(context.caller, "predict");
  const model = await context.phases.time("resolve", () => registry.resolve(name, version));
  context.manifest = model.manifest;
  const { bodyBytes = 0 } = context;
  if (bodyBytes > model.limits.bodyBytes)
    throw new NearcastError(
      "body_too_large",
      `The body may have at most ${model.limits.bodyBytes} bytes for ${name}.`,
    );
  const { timeoutMs } = model.manifest.limits ?? {};
  if (timeoutMs !== undefined) context.deadline.shorten(timeoutMs);
  return model;
}

type RunTask = Parameters<typeof runAll>[1];
type Runs = Parameters<typeof runAll>[2];

/** The outputs of each run: kept ones where the model's answers are kept, and else computed. */
function execute(
  services: PathServices,
  manifest: Manifest,
  task: RunTask,
  runs: Runs,
  context: RequestContext,
): Promise<Tensors[]> {
  const { cachedRuns } = services;
  const ttlSeconds = cachedRuns?.ttlSeconds(manifest) ?? 0;
  if (!cachedRuns || ttlSeconds === 0) return compute(services, manifest, task, runs, context);
  const { outputNames } = task;
  const computeMissing = (missing: Runs) => compute(services, manifest, task, missing, context);
  const call = { manifest, outputNames, runs, context, compute: computeMissing };
  return cachedRuns.outputs(call, ttlSeconds);
}

/** Loads the model when it is not in memory, and runs it. */
async function compute(
  { sessions, turns }: PathServices,
  manifest: Manifest,
  task: RunTask,
  runs: Runs,
  { phases, deadline, caller }: RequestContext,
): Promise<Tensors[]> {
  deadline.check();
  // Versions with the same artifact share its session, and not their runs.
  const owner = `${caller.name} ${manifest.name}/${manifest.version}`;
  const lease = await phases.time("load", () => sessions.acquire(manifest));
  try {
    const turn = turns?.running.enter();
    if (turn) await phases.time("queue", () => turn);
    let results: Tensors[];
    let answers: Promise<void> | undefined;
    try {
      results = await phases.time("run", () =>
        runAll(lease.session, task, runs, { deadline, owner }),
      );
    } finally {
      answers = turns?.running.leave();
    }
    if (answers) await answers;
    return results;
  } finally {
    lease.end();
  }
}

const LONGEST_REASON = 300;

function refusedTensors(cause: unknown): NearcastError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new NearcastError(
    "invalid_input",
    `The model cannot compute with these tensors: ${reason.slice(0, LONGEST_REASON)}`,
    { cause },
  );
}

/** Throws `invalid_input` for no input at all, or for more than the limit. */
export function checkBatch(rows: readonly unknown[], limit: number, member = "inputs"): void {
  if (rows.length === 0) throw invalidInput([{ path: member, message: "must not be empty" }]);
  if (rows.length > limit)
    throw invalidInput([
      { path: member, message: `must have at most ${limit} inputs, has ${rows.length}` },
    ]);
}

function countTokens(runs: readonly Run[]): number | undefined {
  if (runs.every(({ tokens }) => tokens === undefined)) return undefined;
  return runs.reduce((sum, { tokens = 0 }) => sum + tokens, 0);
}
