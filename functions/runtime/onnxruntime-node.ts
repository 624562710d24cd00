import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { wrapSession } from "./session.ts";
import type { Runtime } from "./types.ts";

/**
 * Native ONNX Runtime. `threads` is set explicitly: with the default (a thread a core) on a fraction
 * of a core, as on a small Lambda, the 95th percentile is ten times worse.
 */
export function createNativeRuntime({ threads }: { threads: number }): Runtime {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  };
  return {
    name: "native",
    async load(artifact) {
      const session =
        "path" in artifact
          ? await InferenceSession.create(artifact.path, options)
          : await InferenceSession.create(artifact.bytes, options);
      return wrapSession(session, OrtTensor);
    },
  };
}
