import type { Limits } from "../config.ts";
import type { Manifest } from "../model/manifest.ts";
import { fitBatchDimension } from "./runs.ts";
import type { Assets, CompiledTask } from "./define.ts";

type Compile = (manifest: Manifest, limits: Limits, assets: Assets) => CompiledTask;

/** Imported with the first model that needs it: no cold start pays for tokenizers and decoders of others. */
const TASKS: Record<Manifest["task"], () => Promise<Compile>> = {
  "tabular-classification": async () =>
    (await import("./tabular-classification/compile.ts")).tabularClassification,
  "tabular-regression": async () => (await import("./tabular-regression/compile.ts")).tabularRegression,
  "text-classification": async () => (await import("./text-classification/compile.ts")).textClassification,
  "image-classification": async () =>
    (await import("./image-classification/compile.ts")).imageClassification,
  "feature-extraction": async () => (await import("./feature-extraction/compile.ts")).featureExtraction,
  recommendation: async () => (await import("./recommendation/compile.ts")).recommendation,
  tensor: async () => (await import("./tensor/compile.ts")).tensor,
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
