import { Hono } from "hono";
import { problem } from "../../errors.ts";
import { batchRoutes } from "../../http/batches.ts";
import type { AppEnv } from "../../http/exchange.ts";
import { defineDialect } from "../define.ts";
import { describe } from "./describe.ts";
import { openaiError } from "./errors.ts";
import { filesRoutes } from "./files.ts";
import { embeddingsRoutes } from "./routes.ts";

/** OpenAI's embeddings, files, and its list of models. */
export const openai = defineDialect({
  name: "openai",
  paths: ["/v1/embeddings", "/v1/files"],
  routes(service) {
    const routes = embeddingsRoutes(service);
    const { files, batches } = service;
    return files && batches ? routes.route("/", filesRoutes(service, { files, batches })) : routes;
  },
  errorBody: openaiError,
  describe,
  modelList: (models) => ({ object: "list", data: models.map(({ name }) => openaiModel(name)) }),
  model: ({ name }) => openaiModel(name),
});

/** Batches: OpenAI's and the native ones share their paths. Errors are in the words of both. */
export const batches = defineDialect({
  name: "batches",
  paths: ["/v1/batches"],
  routes(service) {
    const { files, batches: found } = service;
    return files && found ? batchRoutes(service, { batches: found, files }) : new Hono<AppEnv>();
  },
  errorBody: (error, requestId) => ({ ...problem(error, requestId), ...openaiError(error) }),
  errorType: "application/problem+json",
});

/** OpenAI's description of a model. Packages have no date of creation. */
function openaiModel(name: string) {
  return { id: name, object: "model", created: 0, owned_by: "nearcast" };
}
