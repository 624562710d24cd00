import type { Calibration, Quality } from "../../functions/tasks/define.ts";
import { label, type LocalPackage } from "../package-folder.ts";
import { openPredictor, type RuntimeName } from "../predictor.ts";
import { projectTasks } from "../project.ts";
import type { Row } from "./data.ts";

export interface Evaluation {
  model: string;
  version: string;
  runtime: RuntimeName;
  rows: number;
  /** By name, the main one first. */
  metrics: Record<string, number>;
  confusion?: ReturnType<NonNullable<Quality["confusion"]>>;
  /** Of scores that may be probabilities. */
  calibration?: Calibration;
  /** Whether the manifest says that the scores are calibrated. */
  saidCalibrated: boolean;
  /** Metrics for which less is better. */
  lessIsBetter: readonly string[];
}

export interface EvaluationOptions {
  runtime: RuntimeName;
  /** How many items of an answer count, where it is a list. */
  k: number;
  /** Further parameters of the predictions. */
  parameters?: Record<string, unknown>;
}

const BATCH = 100;

/** How much better the candidate is. Negative if it is worse. */
export function gain(metric: string, candidate: Evaluation, baseline: Evaluation): number {
  const more = (candidate.metrics[metric] ?? NaN) - (baseline.metrics[metric] ?? NaN);
  return candidate.lessIsBetter.includes(metric) ? -more : more;
}

/** Gives the inputs to `work`, some at a time. Throws an Error that names the line of a refused input. */
export async function inBatches(
  rows: readonly Row[],
  work: (inputs: unknown[]) => Promise<void>,
  most = BATCH,
): Promise<void> {
  for (let start = 0; start < rows.length; start += most) {
    const batch = rows.slice(start, start + most);
    try {
      await work(batch.map(({ input }) => input));
    } catch (cause) {
      const [, row] = /inputs\[(\d+)\]/.exec((cause as Error).message) ?? [];
      const line = batch[Number(row)]?.line;
      if (line === undefined) throw cause;
      throw new Error(`Line ${line} of the data: ${(cause as Error).message}`, { cause });
    }
  }
}

/**
 * Predicts every labelled row through the predict path, and measures how good that is. Throws for a row that is refused.
 */
export async function evaluate(
  local: LocalPackage,
  rows: readonly Row[],
  { runtime, k, parameters }: EvaluationOptions,
): Promise<Evaluation> {
  const { manifest } = local;
  const quality = await (await projectTasks()).of(manifest).quality?.(manifest, { k });
  if (!quality)
    throw new Error(
      `${label(manifest)} is a ${manifest.task} model: its outputs are no answer that a label could be compared with.`,
    );
  const judged = rows.filter((row) => row.label !== undefined);
  for (const row of judged) {
    const problem = quality.problemWith?.(row.label);
    if (problem) throw new Error(`Line ${row.line} of the data: ${problem}.`);
  }
  const predictor = await openPredictor(local, runtime);
  const answersTo = async (asked: readonly Row[], own: Quality["parameters"]) => {
    const answers: unknown[] = [];
    await inBatches(
      asked,
      async (inputs) => {
        const given = await predictor.predict(inputs, { ...own, ...parameters });
        answers.push(...(given as unknown[]));
      },
      quality.rows,
    );
    return answers;
  };
  const answers = await answersTo(judged, quality.parameters);
  const targets = targetsOf(rows, quality);
  const found = await answersTo(targets, quality.targetParameters);
  const { name, version } = manifest;
  const truths = judged.map((row) => row.label);
  const confusion = quality.confusion?.(truths, answers);
  const calibration = quality.calibration?.(truths, answers);
  return {
    model: name,
    version,
    runtime,
    rows: judged.length,
    metrics: quality.metrics(
      truths,
      answers,
      new Map(targets.map(({ input }, index) => [input, found[index]])),
    ),
    ...(confusion && { confusion }),
    ...(calibration && { calibration }),
    saidCalibrated: manifest.feedback?.calibrated === true,
    lessIsBetter: quality.lessIsBetter ?? [],
  };
}

/** The inputs that labels name, and those of rows without a label, each once. */
function targetsOf(rows: readonly Row[], quality: Quality): Row[] {
  if (!quality.target) return [];
  const targets = new Map<unknown, Row>();
  for (const { input, label: truth, line } of rows) {
    const named = truth === undefined ? input : quality.target(truth);
    if (!targets.has(named)) targets.set(named, { input: named, label: undefined, line });
  }
  return [...targets.values()];
}
