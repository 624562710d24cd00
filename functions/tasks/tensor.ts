import { NearcastError } from "../errors.ts";
import type { Manifest } from "../model/manifest.ts";
import type { CompiledTask } from "./types.ts";

/** Tensors in, tensors out; only the tensor protocols can ask such a model. */
export function tensor(manifest: Manifest): CompiledTask {
  return {
    outputNames: manifest.outputs.map(({ name }) => name),
    isBatch: Array.isArray,
    preprocess() {
      throw new NearcastError("invalid_input", `${manifest.name} takes tensors.`);
    },
    postprocessor: () => () => [],
  };
}
