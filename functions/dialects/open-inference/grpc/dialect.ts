import { defineDialect } from "../../define.ts";
import { describe } from "./describe.ts";
import { HEALTH_PATH, SERVICE_PATH } from "./names.ts";
import { closedCalls, openCalls } from "./routes.ts";

/**
 * The Open Inference Protocol as a service of gRPC, Connect and gRPC-Web, and gRPC's health check. gRPC itself needs
 * HTTP/2, the others take plain HTTP.
 */
export const openInferenceGrpc = defineDialect({
  name: "open-inference-grpc",
  paths: [SERVICE_PATH, HEALTH_PATH],
  health: openCalls,
  routes: closedCalls,
  describe,
  answerError: async (c, error) => (await import("./errors.ts")).answerError(c, error),
});
