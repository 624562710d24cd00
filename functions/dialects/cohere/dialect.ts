import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { cohereRoutes } from "./routes.ts";

/** Cohere's API for ranking texts. */
export const cohere = defineDialect({
  name: "cohere",
  paths: ["/v2/rerank"],
  routes: cohereRoutes,
  errorBody: ({ message }, id) => ({ id, message }),
  describe,
});
