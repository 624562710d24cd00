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
  /** Among how many texts or pictures each row's own was found. */
  searched?: number;
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
  const quality = await (await projectTasks()).of(manifest).quality?.(manifest, { k, parameters });
  if (!quality)
    throw new Error(
      `${label(manifest)} is a ${manifest.task} model: its outputs are no answer that a label could be compared with.`,
    );
  const judged = rows.filter((row) => row.label !== undefined);
  for (const row of judged) {
    const problem = quality.problemWith?.(row.label);
    if (problem) throw new Error(`Line ${row.line} of the data: ${problem}.`);
  }
  const targets = targetsOf(rows, quality);
  const searched = quality.searched?.(
    judged.map((row) => row.label),
    targets.length,
  );
  if (searched !== undefined) checkSearch(judged, quality, { searched, k });
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
    ...(searched !== undefined && { searched }),
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

/** Throws an Error for data of which every model would find all. */
function checkSearch(
  judged: readonly Row[],
  quality: Quality,
  { searched, k }: { searched: number; k: number },
): void {
  if (searched <= k)
    throw new Error(
      `Each row's own is searched among ${searched}, of which the first ${k} count, so every model would find all. Give more data, or let fewer count (--k).`,
    );
  if (new Set(judged.map((row) => row.label)).size === 1)
    throw new Error("All rows of the data have the same label, so there is nothing to tell apart.");
  const isOwn = ({ input, label: own }: Row) =>
    quality.target !== undefined && quality.target(own) === quality.target(input);
  if (judged.every(isOwn))
    throw new Error("Every label is its own row's input, so every model would find all of them.");
}

/** The inputs that labels name, and those of rows without a label, each once. */
function targetsOf(rows: readonly Row[], quality: Quality): Row[] {
  if (!quality.target) return [];
  const targets = new Map<unknown, Row>();
  for (const { input, label: truth, line } of rows) {
    const named = quality.target(truth === undefined ? input : truth);
    if (!targets.has(named)) targets.set(named, { input: named, label: undefined, line });
  }
  return [...targets.values()];
}
