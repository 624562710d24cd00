import { label, type LocalPackage } from "../package-folder.ts";
import { readRows } from "./data.ts";
import { evaluate, gain, type Evaluation, type EvaluationOptions } from "./evaluate.ts";

export interface GateOptions extends EvaluationOptions {
  /** Labelled rows: `.jsonl` or `.csv`. */
  data: string;
  minGain: number;
  /** Which metric decides. The task's main one when absent. */
  metric?: string;
}

export interface Verdict {
  passed: boolean;
  metric: string;
  gain: number;
  candidate: Evaluation;
  baseline: Evaluation;
  /** The verdict in one sentence. */
  text: string;
}

/** Sums of the same numbers in another order differ by less than this. */
const ROUNDING = 1e-12;

/** Compares two versions on labelled data. Throws if they cannot be compared. */
export async function judge(
  candidate: LocalPackage,
  baseline: LocalPackage,
  options: GateOptions,
): Promise<Verdict> {
  if (candidate.manifest.task !== baseline.manifest.task)
    throw new Error(
      `${label(candidate.manifest)} is a ${candidate.manifest.task} model, ${label(baseline.manifest)} a ${baseline.manifest.task} one.`,
    );
  const score = async (local: LocalPackage) =>
    evaluate(local, await readRows(options.data, local.manifest), options);
  const [now, before] = [await score(candidate), await score(baseline)];
  const metric = options.metric ?? Object.keys(now.metrics)[0] ?? "";
  const [value, base] = [now.metrics[metric], before.metrics[metric]];
  if (value === undefined || base === undefined)
    throw new Error(
      `There is no metric ${metric} on this data; there is ${Object.keys(now.metrics).join(", ")}.`,
    );
  const gained = gain(metric, now, before);
  const passed = gained >= options.minGain - ROUNDING;
  const text = `${metric} of ${label(candidate.manifest)} is ${value.toFixed(4)}, of ${label(baseline.manifest)} ${base.toFixed(4)}: a gain of ${gained.toFixed(4)}, ${passed ? "and" : "but"} ${options.minGain} is asked for (${now.rows} rows).`;
  return { passed, metric, gain: gained, candidate: now, baseline: before, text };
}
