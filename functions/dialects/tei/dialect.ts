import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { teiError, teiStatus } from "./errors.ts";
import { teiRoutes } from "./routes.ts";

/** The API of Hugging Face's text-embeddings-inference. */
export const tei = defineDialect({
  name: "tei",
  paths: [
    "/rerank",
    "/embed",
    "/embed_all",
    "/embed_sparse",
    "/tokenize",
    "/decode",
    "/predict",
    "/similarity",
    "/info",
  ],
  routes: teiRoutes,
  errorBody: teiError,
  errorStatus: teiStatus,
  describe,
});
