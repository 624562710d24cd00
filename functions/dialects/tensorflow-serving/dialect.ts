import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { tensorflowServingRoutes } from "./routes.ts";
import { versionStatus } from "./status.ts";

/** TensorFlow Serving's REST API. Its clients read the member `error`. Every error has it. */
export const tensorflowServing = defineDialect({
  name: "tensorflow-serving",
  paths: [],
  routes: tensorflowServingRoutes,
  describe,
  model: ({ versions }) => versionStatus(versions),
});
