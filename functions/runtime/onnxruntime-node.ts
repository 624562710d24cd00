import { readFile } from "node:fs/promises";
import { devNull } from "node:os";
import { join } from "node:path";
import { explainFailure } from "./failures.ts";
import { InferenceSession, Tensor as OrtTensor } from "./native-ort.ts";
import { LOG_FATAL_ONLY, wrapSession } from "./session.ts";
import type { ExternalData, Runtime } from "./types.ts";

/**
 * Native ONNX Runtime. `threads` is always set. With a fraction of a core, as on a small Lambda, the default of one
 * thread a core makes the 95th percentile ten times worse.
 */
export function createNativeRuntime({ threads }: { threads: number }): Runtime {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // An arena keeps the memory of the largest run for ever. Runs are as fast without it.
    enableCpuMemArena: false,
    logSeverityLevel: LOG_FATAL_ONLY,
    // Where ONNX Runtime looks for files that the artifact names and the package does not list. There are none here.
    // Without this, it would read them from the artifact's folder or the process's.
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

/** Gives ONNX Runtime the bytes under the artifact's names, since the local tier names files by digest. */
async function mounted({ name, source }: ExternalData) {
  return { path: name, data: "path" in source ? await readFile(source.path) : source.bytes };
}
