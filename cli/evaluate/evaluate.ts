import type { Manifest } from "../../functions/model/manifest.ts";
import type { Classification } from "../../functions/tasks/classification/answers.ts";
import type { Recommendation } from "../../functions/tasks/recommendation/compile.ts";
import type { Regression } from "../../functions/tasks/tabular-regression/compile.ts";
import { label, type LocalPackage } from "../package-folder.ts";
import { openPredictor, type RuntimeName } from "../predictor.ts";
import type { Row } from "./data.ts";
import {
  classificationMetrics,
  confusionOf,
  hitRate,
  regressionMetrics,
  rocAuc,
  type Confusion,
} from "./metrics.ts";

export interface Evaluation {
  model: string;
  version: string;
  runtime: RuntimeName;
  rows: number;
  /** By name, the main one first. */
  metrics: Record<string, number>;
  confusion?: Confusion;
}

interface Options {
  runtime: RuntimeName;
  /** Recommendation: how many items an answer has. */
  k: number;
}

const BATCH = 100;

/** Metrics for which less is better. */
const ERRORS = new Set(["mae", "rmse"]);

/** How much better the candidate is; negative when it is worse. */
export function gain(metric: string, candidate: number, baseline: number): number {
  return ERRORS.has(metric) ? baseline - candidate : candidate - baseline;
}

/** Predicts every row through the predict path and says how good that is. Throws on a row it refuses. */
export async function evaluate(
  local: LocalPackage,
  rows: readonly Row[],
  { runtime, k }: Options,
): Promise<Evaluation> {
  const { manifest } = local;
  const judge = judgeOf(manifest, k);
  const predictor = openPredictor(local, runtime);
  const answers: unknown[] = [];
  for (let start = 0; start < rows.length; start += BATCH) {
    const batch = rows.slice(start, start + BATCH);
    const inputs = batch.map(({ input }) => input);
    try {
      answers.push(...((await predictor.predict(inputs, judge.parameters)) as unknown[]));
    } catch (cause) {
      const [, row] = /inputs\[(\d+)\]/.exec((cause as Error).message) ?? [];
      const line = batch[Number(row)]?.line;
      if (line === undefined) throw cause;
      throw new Error(`Line ${line} of the data: ${(cause as Error).message}`, { cause });
    }
  }
  const { name, version } = manifest;
  return { model: name, version, runtime, rows: rows.length, ...judge.judge(rows, answers) };
}

interface Judge {
  parameters?: unknown;
  judge(rows: readonly Row[], answers: unknown[]): Pick<Evaluation, "metrics" | "confusion">;
}

function judgeOf(manifest: Manifest, k: number): Judge {
  switch (manifest.task) {
    case "tabular-classification":
    case "text-classification":
    case "image-classification":
      return { judge: (rows, answers) => judgeLabels(manifest, rows, answers) };
    case "tabular-regression":
      return { judge: judgeNumbers };
    case "recommendation":
      return {
        parameters: { top_k: k },
        judge(rows, answers) {
          const heldOut = rows.map(({ label }) => [label].flat().map(String));
          const given = (answers as Recommendation[][]).map((items) => items.map(({ id }) => id));
          return { metrics: { [`hit_rate_at_${k}`]: hitRate(heldOut, given) } };
        },
      };
    case "feature-extraction":
    case "tensor":
      throw new Error(
        `${label(manifest)} is a ${manifest.task} model: its outputs are no answer that a label could be compared with.`,
      );
    default:
      return manifest.task satisfies never;
  }
}

function judgeLabels({ labels = [] }: Manifest, rows: readonly Row[], answers: unknown[]) {
  const given = answers as Classification[];
  for (const { label, line } of rows)
    if (!labels.includes(String(label)))
      throw new Error(
        `Line ${line} of the data: the model has no label ${JSON.stringify(label)}; it has ${labels.join(", ")}.`,
      );
  const truth = rows.map(({ label }) => String(label));
  const confusion = confusionOf(
    truth,
    given.map(({ label }) => label),
  );
  const auc = rocAuc(
    labels,
    truth,
    given.map(({ scores }) => scores),
  );
  const metrics = { ...classificationMetrics(confusion), ...(auc !== undefined && { auc }) };
  return { metrics, confusion };
}

function judgeNumbers(rows: readonly Row[], answers: unknown[]) {
  for (const { label, line } of rows)
    if (typeof label !== "number" || !Number.isFinite(label))
      throw new Error(`Line ${line} of the data: the label is not a number.`);
  return {
    metrics: regressionMetrics(
      rows.map(({ label }) => label as number),
      (answers as Regression[]).map(({ value }) => value),
    ),
  };
}
