import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { tutorialRoutes } from "./routes.ts";

/** What the front ends of tutorials ask, so that only their server is replaced. `/predict` is in `http/root-predict.ts`. */
export const tutorial = defineDialect({
  name: "tutorial",
  paths: ["/batch_predict", "/batch-predict", "/batch-result"],
  routes: tutorialRoutes,
  describe,
});
