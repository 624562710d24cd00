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
    return service.files ? routes.route("/", filesRoutes(service, service.files)) : routes;
  },
  errorBody: openaiError,
  describe,
  modelList: (models) => ({ object: "list", data: models.map(({ name }) => openaiModel(name)) }),
  model: ({ name }) => openaiModel(name),
});

/** OpenAI's description of a model. Packages have no date of creation. */
function openaiModel(name: string) {
  return { id: name, object: "model", created: 0, owned_by: "nearcast" };
}
