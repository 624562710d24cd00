import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { healthRoutes, predictRoutes } from "./routes.ts";

/** The native API: `{"inputs": X, "parameters": {…}}`, and errors by RFC 9457. */
export const native = defineDialect({
  name: "native",
  paths: [],
  health: healthRoutes,
  routes: predictRoutes,
  describe,
});
