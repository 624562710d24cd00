import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { jinaRoutes } from "./routes.ts";

/** Jina's API for ranking texts. */
export const jina = defineDialect({
  name: "jina",
  paths: ["/v1/rerank"],
  routes: jinaRoutes,
  errorBody: ({ message }) => ({ detail: message }),
  describe,
});
