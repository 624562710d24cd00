import type { Dialect } from "../dialects/define.ts";
import { taskPaths } from "../dialects/tutorial/describe.ts";
import type { ReleasedModel } from "../model/released-models.ts";
import { MOST_DAYS } from "../observe/feedback/feedback.ts";
import { MOST_HOURS } from "../observe/drift/watch.ts";
import { datatypeNames } from "../tensor.ts";
import { BATCH_SCHEMAS, batchPaths } from "./batch-paths.ts";
import { FILE_SCHEMAS, filePaths } from "./file-paths.ts";
import { JOB_SCHEMAS, jobPaths } from "./job-paths.ts";
import { modelComponents, modelPath } from "./model-paths.ts";
import {
  answers,
  ASSIGNMENT_COMPONENTS,
  json,
  modelParameters,
  object,
  pathsOf,
  ref,
} from "./operation.ts";
import { rootPredictPath } from "./root-predict-path.ts";
import { WEBHOOK_SCHEMA, webhooksOf } from "./webhooks.ts";

const string = { type: "string" };
const strings = { type: "array", items: string };

/** The ways in which callers can authenticate. */
const SECURITY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer", description: "An API key, or a JSON Web Token." },
  apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
};

const HOURS = {
  name: "hours",
  in: "query",
  description: "How many hours, with the present one.",
  schema: { type: "integer", minimum: 1, maximum: MOST_HOURS, default: MOST_HOURS },
};

const DAYS = {
  name: "days",
  in: "query",
  description: "How many days, with the present one.",
  schema: { type: "integer", minimum: 1, maximum: MOST_DAYS, default: 7 },
};

const FILE = {
  name: "file",
  in: "path",
  required: true,
  description: "The artifact, or another file that the manifest names.",
  schema: string,
};

/** An outcome of a prediction. */
const GIVEN = object({
  request_id: { ...string, description: "The `X-Request-Id` of the prediction." },
  outcome: {
    description: "A label or a number. For several inputs in the request, an array of them.",
  },
});

/** Schemas that all dialects may refer to. */
const SHARED_SCHEMAS = {
  Problem: {
    description: "RFC 9457; error says the same to clients of older conventions.",
    type: "object",
    required: ["type", "title", "status", "detail", "code", "requestId", "error"],
    properties: {
      type: string,
      title: string,
      status: { type: "integer" },
      detail: string,
      code: string,
      requestId: string,
      error: string,
      errors: { type: "array", items: object({ path: string, message: string }) },
    },
  },
  TensorInfo: object({
    name: string,
    datatype: { enum: datatypeNames },
    shape: {
      type: "array",
      items: { type: "integer", minimum: -1 },
      description: "-1 is any size",
    },
  }),
  ModelList: object({
    models: {
      type: "array",
      items: object({
        name: string,
        version: string,
        versions: strings,
        task: string,
        description: string,
      }),
    },
  }),
  Model: object({
    name: string,
    version: string,
    task: string,
    description: string,
    inputs: { type: "array", items: ref("TensorInfo") },
    outputs: { type: "array", items: ref("TensorInfo") },
    versions: strings,
    released: string,
    ready: { type: "boolean" },
  }),
};

export interface DocumentOptions {
  version: string;
  /** Whether callers need a key or token. */
  secured: boolean;
  /** Operations that are open even if callers need a key, such as `get /health`. */
  open: ReadonlySet<string>;
  /** Whether calls may be answered later. */
  hasJobs: boolean;
  /** Whether files of inputs are answered later. */
  hasFiles: boolean;
  /** Whether jobs and batches may tell webhooks of their ends. */
  hasWebhooks: boolean;
}

/** The OpenAPI 3.1 description of the service with the models that are released now. */
export function openapiDocument(
  models: readonly ReleasedModel[],
  dialects: readonly Dialect[],
  { version, secured, open, hasJobs, hasFiles, hasWebhooks }: DocumentOptions,
) {
  const parts = dialects.flatMap(({ describe }) => describe?.(models) ?? []);
  const paths: Record<string, Record<string, object>> = {};
  for (const part of [
    ...models.map(modelPath),
    sharedPaths(models.map(({ manifest }) => manifest.name)),
    rootPredictPath(models),
    hasJobs ? { ...jobPaths(), ...taskPaths() } : {},
    hasFiles ? { ...batchPaths(), ...filePaths() } : {},
    ...parts.map((part) => part.paths),
  ])
    for (const [path, operations] of Object.entries(part))
      paths[path] = { ...paths[path], ...operations };
  return {
    openapi: "3.1.0",
    info: {
      title: "Nearcast",
      version,
      description: "ONNX models, asked in the native API or in the protocol of a client you have.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "." }],
    paths: secured ? withOpen(paths, open) : paths,
    ...(hasWebhooks && { webhooks: webhooksOf(hasFiles ? ["job", "batch"] : ["job"]) }),
    ...(secured && { security: Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })) }),
    components: {
      ...(secured && { securitySchemes: SECURITY_SCHEMES }),
      ...ASSIGNMENT_COMPONENTS,
      schemas: Object.assign(
        {},
        SHARED_SCHEMAS,
        hasJobs ? { ...JOB_SCHEMAS, ...WEBHOOK_SCHEMA } : {},
        hasFiles ? { ...BATCH_SCHEMAS, ...FILE_SCHEMAS } : {},
        ...parts.map(({ schemas }) => schemas),
        ...models.map(modelComponents),
      ) as Record<string, object>,
    },
  };
}

function sharedPaths(models: readonly string[]) {
  const { one, versioned } = modelParameters(models);
  const tag = "Models";
  const text = { "text/html": { schema: string } };
  return pathsOf({
    "get /v1/models": { tag, summary: "Released models", answer: answers("ModelList") },
    "get /models": { tag, summary: "The same", answer: answers("ModelList") },
    "get /v1/models/{model}": {
      tag,
      summary: "A model",
      parameters: one,
      answer: answers("Model"),
    },
    "get /v1/models/{model}/versions/{version}": {
      tag,
      summary: "A version",
      parameters: versioned,
      answer: answers("Model"),
    },
    "get /v1/models/{model}/versions/{version}/files/{file}": {
      tag,
      summary: "A file of a version whose manifest has `browser`, for pages that run it themselves",
      parameters: [...versioned, FILE],
      answer: { description: "The file.", content: { "application/octet-stream": { schema: {} } } },
    },
    "get /metrics": {
      tag: "Metrics",
      summary: "Metrics in OpenMetrics 1.0, or in Prometheus' text format",
      answer: { description: "All samples.", content: { "text/plain": { schema: string } } },
    },
    "get /v1/models/{model}/accuracy": {
      tag,
      summary: "How right the released versions were, by the feedback of the last days",
      parameters: [...one, DAYS],
    },
    "post /v1/feedback": {
      tag: "Feedback",
      summary: "What really happened, for a prediction of yours or an array of them",
      body: json({ anyOf: [GIVEN, { type: "array", minItems: 1, maxItems: 100, items: GIVEN }] }),
    },
    "post /v1/feedback/forget": {
      tag: "Feedback",
      summary: "Removes kept predictions, by SHA-256 of caller, line feed and request id",
      body: json(object({ keys: { ...strings, minItems: 1, maxItems: 100 } })),
    },
    "get /v1/models/{model}/drift": {
      tag,
      summary: "How the calls of the last hours differ from the training data",
      parameters: [...one, HOURS],
    },
    "get /v1/models/{model}/versions/{version}/drift": {
      tag,
      summary: "The same for a version",
      parameters: [...versioned, HOURS],
    },
    "get /v1/models/{model}/rollout": {
      tag,
      summary: "Versions on trial, and what was counted of them",
      parameters: one,
    },
    "get /openapi.json": { tag: "Documentation", summary: "This description" },
    "get /docs": {
      tag: "Documentation",
      summary: "A page to read and try it",
      answer: { description: "The page.", content: text },
    },
  });
}

/** Marks open operations as such. */
function withOpen(paths: Record<string, Record<string, object>>, open: ReadonlySet<string>) {
  const marked = (path: string, operations: Record<string, object>) =>
    Object.entries(operations).map(([method, operation]) => [
      method,
      open.has(`${method} ${path}`) ? { ...operation, security: [] } : operation,
    ]);
  return Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      Object.fromEntries(marked(path, operations)) as Record<string, object>,
    ]),
  );
}
