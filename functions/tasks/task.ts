import type { Limits } from "../config.ts";
import type { Manifest } from "../model/manifest.ts";
import { featureExtraction } from "./feature-extraction.ts";
import { imageClassification } from "./image-classification.ts";
import { recommendation } from "./recommendation.ts";
import { fitBatchDimension } from "./runs.ts";
import { tabularClassification } from "./tabular-classification.ts";
import { tabularRegression } from "./tabular-regression.ts";
import { tensor } from "./tensor.ts";
import { textClassification } from "./text-classification.ts";
import type { Assets, CompiledTask } from "./types.ts";

const TASKS = {
  "tabular-classification": tabularClassification,
  "tabular-regression": tabularRegression,
  "text-classification": textClassification,
  "image-classification": imageClassification,
  "feature-extraction": featureExtraction,
  recommendation,
  tensor,
} as const;

/** Compiles the task a manifest names. Throws an Error when the manifest lacks what the task needs. */
export function compileTask(manifest: Manifest, limits: Limits, assets: Assets): CompiledTask {
  const task = TASKS[manifest.task](manifest, limits, assets);
  // A tensor comes with its batch dimension: it fits the graph's or is refused.
  return manifest.task === "tensor" ? task : fitBatchDimension(manifest, task);
}
