import type { InferenceSession } from "onnxruntime-node";

// As the service does. Otherwise the runtime starts a thread that reports its use.
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";

/** The native runtime's options, so that only the code around the session differs. */
export const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
};
