import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { mlflowError } from "./errors.ts";
import { invocationRoutes, pingRoutes } from "./routes.ts";

/** The API of MLflow's scoring server. SageMaker calls containers in the same way. */
export const mlflow = defineDialect({
  name: "mlflow",
  paths: ["/ping", "/version", "/invocations"],
  health: pingRoutes,
  routes: invocationRoutes,
  errorBody: mlflowError,
  describe,
});
