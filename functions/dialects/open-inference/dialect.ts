import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { liveRoutes, openInferenceRoutes } from "./routes.ts";

/** The Open Inference Protocol (KServe v2, Triton). Its clients read the member `error`. Every error has it. */
export const openInference = defineDialect({
  name: "open-inference",
  paths: ["/v2"],
  health: liveRoutes,
  routes: openInferenceRoutes,
  describe,
});
