import type { Manifest } from "../functions/model/manifest.ts";
import { similarity, type Vector } from "../functions/tasks/feature-extraction/retrieval.ts";
import { besides, compareAnswers, SAME, worse, type Difference } from "./compare.ts";
import type { Row } from "./evaluate/data.ts";
import { evaluate, inBatches } from "./evaluate/evaluate.ts";
import { label, type LocalPackage } from "./package-folder.ts";
import { openPredictor, type RuntimeName } from "./predictor.ts";
import { projectTasks } from "./project.ts";

/** What another form of the same model answers. */
export interface Judgement {
  /** A sentence for each comparison. */
  lines: string[];
  metrics: Manifest["metrics"];
  /** The least tolerance that allows the differences between native and WASM. */
  betweenRuntimes: number;
}

/** Each of them is asked by itself too. */
const MOST_ALONE = 50;
/** Sums of floats in another order differ by less. */
const ROUNDING = 1e-5;

/**
 * Compares two forms of a model by their answers to the rows, and by the task's own metrics where the rows have labels.
 * `source` names the rows. Rejects if the second form does not run.
 */
export async function judgeForm(
  before: LocalPackage,
  after: LocalPackage,
  rows: readonly Row[],
  source: string,
): Promise<Judgement> {
  if (rows.length === 0)
    throw new Error(
      `${label(before.manifest)} has no examples to compare it on. Give inputs with --data.`,
    );
  const original = await answersOf(before, "native", rows);
  const native = await answersOf(after, "native", rows);
  const wasm = await answersOf(after, "wasm", rows);
  const few = rows.slice(0, MOST_ALONE);
  const byBatch = Math.max(
    worst(await compareAll(await answersOf(after, "native", few, 1), native)).largest,
    worst(await compareAll(await answersOf(after, "wasm", few, 1), wasm)).largest,
  );
  const { metrics, lines } = await judgeByMetrics(before, after, rows, source);
  return {
    metrics,
    betweenRuntimes: worst(await compareAll(native, wasm)).least,
    lines: [
      ...lines,
      ...cosines(before.manifest, original, native),
      `original and INT8: ${await differences(after.manifest, original, native)} (${source}, ${rows.length} rows)`,
      `INT8 native and WASM: ${await differences(after.manifest, native, wasm)}`,
      byBatch > ROUNDING
        ? `INT8 alone and in a batch: the same row's answer differs by up to ${short(byBatch)} (${few.length} rows)`
        : `INT8 alone and in a batch: the same answers (${few.length} rows)`,
    ],
  };
}

async function judgeByMetrics(
  before: LocalPackage,
  after: LocalPackage,
  rows: readonly Row[],
  source: string,
): Promise<Pick<Judgement, "lines" | "metrics">> {
  if (rows.every((row) => row.label === undefined)) return { lines: [], metrics: [] };
  const judge = (one: LocalPackage, runtime: RuntimeName) =>
    evaluate(one, rows, { runtime, k: 10 });
  const original = await judge(before, "native");
  const [native, wasm] = [await judge(after, "native"), await judge(after, "wasm")];
  return {
    lines: Object.entries(original.metrics).map(
      ([name, value]) =>
        `${name} ${value.toFixed(4)} → ${native.metrics[name]?.toFixed(4)} native, ${wasm.metrics[name]?.toFixed(4)} WASM (${source}, ${native.rows} rows)`,
    ),
    metrics: Object.entries(native.metrics).map(([name, value]) => ({
      name,
      value,
      dataset: source,
      rows: native.rows,
    })),
  };
}

async function answersOf(
  local: LocalPackage,
  runtime: RuntimeName,
  rows: readonly Row[],
  most?: number,
): Promise<unknown[]> {
  const { manifest } = local;
  const quality = await (await projectTasks()).of(manifest).quality?.(manifest, { k: 10 });
  const predictor = await openPredictor(local, runtime);
  const answers: unknown[] = [];
  await inBatches(
    rows,
    async (inputs) => {
      answers.push(...((await predictor.predict(inputs)) as unknown[]));
    },
    most ?? quality?.rows,
  );
  return answers;
}

function cosines(
  { task }: Manifest,
  original: readonly unknown[],
  native: readonly unknown[],
): string[] {
  if (!task.endsWith("feature-extraction") || !original.every(isVector)) return [];
  const all = original.map((vector, row) => similarity(vector as Vector, native[row] as Vector));
  const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
  return [`cosine to the original: mean ${mean.toFixed(4)}, least ${Math.min(...all).toFixed(4)}`];
}

function isVector(answer: unknown): boolean {
  return typeof (answer as unknown[])[0] === "number";
}

async function differences(
  { labels }: Manifest,
  left: readonly unknown[],
  right: readonly unknown[],
): Promise<string> {
  const compared = await compareAll(left, right);
  const changed = compared.filter(({ mismatch }) => mismatch !== undefined).length;
  const largest = `largest difference ${short(worst(compared).largest)}`;
  const rounded = besides(compared.some(({ isRounded }) => isRounded));
  return labels || changed > 0
    ? `${largest}${rounded}, another label in ${changed} of ${left.length}`
    : `${largest}${rounded}`;
}

function compareAll(
  left: readonly unknown[],
  right: readonly unknown[],
): Promise<readonly Difference[]> {
  return Promise.all(left.map((answer, row) => compareAnswers(answer, right[row], Infinity)));
}

function worst(compared: readonly Difference[]): Difference {
  return compared.reduce(worse, SAME);
}

function short(difference: number): string {
  return String(Number(difference.toPrecision(2)));
}
