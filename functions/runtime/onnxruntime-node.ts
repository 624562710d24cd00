import { readFile } from "node:fs/promises";
import { devNull } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { explainFailure } from "./failures.ts";
import { LOG_FATAL_ONLY, wrapSession } from "./session.ts";
import type { ExternalData, Runtime } from "./types.ts";

/**
 * Native ONNX Runtime. `threads` is always set: on a fraction of a core, as on a small Lambda, the default (a
 * thread a core) makes the 95th percentile ten times worse.
 */
export function createNativeRuntime({ threads }: { threads: number }): Runtime {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // An arena keeps the memory of the largest run for ever. Without it runs are as fast.
    enableCpuMemArena: false,
    logSeverityLevel: LOG_FATAL_ONLY,
    // ONNX Runtime looks here for files that the artifact names and the package does not list: there are none.
    // Otherwise it would read them from the folder of the artifact or of the process.
    extra: { session: { model_external_initializers_file_folder_path: join(devNull, "none") } },
  };
  return {
    name: "native",
    async load(artifact, externalData = []) {
      const withWeights = {
        ...options,
        externalData: await Promise.all(externalData.map(mounted)),
      };
      try {
        const session =
          "path" in artifact
            ? await InferenceSession.create(artifact.path, withWeights)
            : await InferenceSession.create(artifact.bytes, withWeights);
        return wrapSession(session, OrtTensor, explainFailure);
      } catch (cause) {
        throw explainFailure(cause);
      }
    },
  };
}

/**
 * The local tier names files by digest, not as the artifact does. So their bytes are given under the artifact's
 * names.
 */
async function mounted({ name, source }: ExternalData) {
  return { path: name, data: "path" in source ? await readFile(source.path) : source.bytes };
}
