import type { Limits } from "../config.ts";
import type { Manifest } from "../model/manifest.ts";
import { fitBatchDimension } from "./runs.ts";
import type { Assets, CompiledTask } from "./types.ts";

type Compile = (manifest: Manifest, limits: Limits, assets: Assets) => CompiledTask;

/** Imported with the first model that needs it: no cold start pays for tokenizers and decoders of others. */
const TASKS: Record<Manifest["task"], () => Promise<Compile>> = {
  "tabular-classification": async () =>
    (await import("./tabular-classification.ts")).tabularClassification,
  "tabular-regression": async () => (await import("./tabular-regression.ts")).tabularRegression,
  "text-classification": async () => (await import("./text-classification.ts")).textClassification,
  "image-classification": async () =>
    (await import("./image-classification.ts")).imageClassification,
  "feature-extraction": async () => (await import("./feature-extraction.ts")).featureExtraction,
  recommendation: async () => (await import("./recommendation.ts")).recommendation,
  tensor: async () => (await import("./tensor.ts")).tensor,
};

/** Compiles the task a manifest names. Rejects with an Error when the manifest lacks what the task needs. */
export async function compileTask(
  manifest: Manifest,
  limits: Limits,
  assets: Assets,
): Promise<CompiledTask> {
  const compile = await TASKS[manifest.task]();
  const task = compile(manifest, limits, assets);
  // A tensor comes with its batch dimension: it fits the graph's or is refused.
  return manifest.task === "tensor" ? task : fitBatchDimension(manifest, task);
}
