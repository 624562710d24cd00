import type { Limits } from "../config.ts";
import type { Manifest } from "../model/manifest.ts";
import { imageClassification } from "./image-classification.ts";
import { tabularClassification } from "./tabular-classification.ts";
import { tensor } from "./tensor.ts";
import { textClassification } from "./text-classification.ts";
import type { CompiledTask } from "./types.ts";

const TASKS = {
  "tabular-classification": tabularClassification,
  "text-classification": textClassification,
  "image-classification": imageClassification,
  tensor,
} as const;

/** Compiles the task a manifest names. Throws an Error when the manifest lacks what the task needs. */
export function compileTask(manifest: Manifest, limits: Limits): CompiledTask {
  const { task } = manifest;
  if (!(task in TASKS)) throw new Error(`task ${task} is not known here`);
  return TASKS[task as keyof typeof TASKS](manifest, limits);
}
