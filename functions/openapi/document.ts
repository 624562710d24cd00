import type { ReleasedModel } from "../model/released-models.ts";
import { components } from "./components.ts";
import { commonPaths } from "./dialect-paths.ts";
import { modelComponents, modelPath } from "./model-paths.ts";

/** How a caller can say who it is. */
const SECURITY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer", description: "An API key, or a JSON Web Token." },
  apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
};

export interface Access {
  /** Whether callers are asked for a key or token. */
  secured: boolean;
  /** The paths that are open all the same. */
  openPaths: ReadonlySet<string>;
}

/** The OpenAPI 3.1 description of the service with the models that are released now. */
export function openapiDocument(
  models: readonly ReleasedModel[],
  version: string,
  { secured, openPaths }: Access,
) {
  const embeddings = models.filter(({ manifest }) => manifest.task === "feature-extraction");
  const common = commonPaths({
    models: models.map(({ manifest }) => manifest.name),
    embeddings: embeddings.map(({ manifest }) => manifest.name),
  });
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
      ...(secured ? withOpenPaths(common, openPaths) : common),
    },
    ...(secured && { security: Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })) }),
    components: {
      ...(secured && { securitySchemes: SECURITY_SCHEMES }),
      schemas: { ...components, ...Object.assign({}, ...models.map(modelComponents)) },
    },
  };
}

/** The operations of open paths say that they need nothing. */
function withOpenPaths(paths: Record<string, object>, open: ReadonlySet<string>) {
  return Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      open.has(path)
        ? Object.fromEntries(
            Object.entries(operations).map(([method, operation]) => [
              method,
              { ...(operation as object), security: [] },
            ]),
          )
        : operations,
    ]),
  );
}
