import type { ReleasedModel } from "../routes/released-models.ts";
import { components } from "./components.ts";
import { commonPaths } from "./dialect-paths.ts";
import { modelComponents, modelPath } from "./model-paths.ts";

/** The OpenAPI 3.1 description of the service with the models that are released now. */
export function openapiDocument(models: readonly ReleasedModel[], version: string) {
  const embeddings = models.filter(({ manifest }) => manifest.task === "feature-extraction");
  return {
    openapi: "3.1.0",
    info: {
      title: "Nearcast",
      version,
      description: "ONNX models, asked in the native API or in the protocol of a client you have.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    paths: {
      ...Object.assign({}, ...models.map(modelPath)),
      ...commonPaths({
        models: models.map(({ manifest }) => manifest.name),
        embeddings: embeddings.map(({ manifest }) => manifest.name),
      }),
    },
    components: {
      schemas: { ...components, ...Object.assign({}, ...models.map(modelComponents)) },
    },
  };
}
