import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { embedRoutes } from "./embed.ts";
import { cohereRoutes } from "./routes.ts";

/** Cohere's API for vectors and for ranking texts. */
export const cohere = defineDialect({
  name: "cohere",
  paths: ["/v2/rerank", "/v2/embed"],
  routes: (service) => cohereRoutes(service).route("/", embedRoutes(service)),
  errorBody: ({ message }, id) => ({ id, message }),
  describe,
});
