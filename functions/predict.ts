import { invalidInput } from "./errors.ts";
import type { Manifest } from "./model/manifest.ts";
import type { Registry } from "./model/registry.ts";
import type { Sessions } from "./model/sessions.ts";
import type { Config } from "./config.ts";
import type { Phases } from "./phases.ts";
import { answerAll, runAll } from "./tasks/runs.ts";
import type { Run } from "./tasks/types.ts";

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
  /** How many tokens the inputs were; undefined where the model has no tokenizer of its own. */
  tokens: number | undefined;
}

export type Predict = (call: PredictCall, phases: Phases) => Promise<Prediction>;

/**
 * The predict path. Rejects with `unknown_model`, `unknown_version`, `invalid_input`, and what loading
 * the model can meet: `store_unavailable`, `model_corrupt`, `model_too_large`.
 */
export function createPredict(registry: Registry, sessions: Sessions, config: Config): Predict {
  return async function predict(call, phases) {
    const { manifest, task } = await phases.time("resolve", () =>
      registry.resolve(call.model, call.version),
    );
    const postprocess = task.postprocessor(call.parameters);
    const batch = task.isBatch(call.inputs);
    const rows = batch ? (call.inputs as unknown[]) : [call.inputs];
    checkBatch(rows, config.limits.batch);
    const runs = await phases.time("preprocess", () =>
      task.preprocess(rows, batch ? (row) => `inputs[${row}]` : () => "inputs"),
    );
    const lease = await phases.time("load", () => sessions.acquire(manifest));
    const results = await phases
      .time("run", () => runAll(lease.session, task, runs))
      .finally(lease.end);
    const answers = await phases.time("postprocess", () => answerAll(postprocess, results, runs));
    return { manifest, outputs: batch ? answers : answers[0], tokens: countTokens(runs) };
  };
}

function checkBatch(rows: readonly unknown[], limit: number): void {
  if (rows.length === 0) throw invalidInput([{ path: "inputs", message: "must not be empty" }]);
  if (rows.length > limit)
    throw invalidInput([
      { path: "inputs", message: `must have at most ${limit} inputs, has ${rows.length}` },
    ]);
}

function countTokens(runs: readonly Run[]): number | undefined {
  if (runs.every(({ tokens }) => tokens === undefined)) return undefined;
  return runs.reduce((sum, { tokens = 0 }) => sum + tokens, 0);
}
