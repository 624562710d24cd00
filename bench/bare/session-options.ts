import type { InferenceSession } from "onnxruntime-node";

/** The native runtime's options, so that only the code around the session differs. */
export const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
};
