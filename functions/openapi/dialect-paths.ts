import type { JsonSchema } from "./model-schemas.ts";
import { operation, json, pathParameter, type OperationOptions } from "./operation.ts";

const text = { "text/plain": { schema: { type: "string" } } };
const anything = { type: "object" };
const openai = { schema: "OpenAIError", mediaType: "application/json" };
const mlflow = { schema: "MLflowError", mediaType: "application/json" };

/** What the examples of the dialects are made of: a model that is released, and one input of it. */
export interface DialectExample {
  models: readonly string[];
  embeddings: readonly string[];
}

/** Every route that is the same for all models. */
export function commonPaths({ models, embeddings }: DialectExample): Record<string, object> {
  const model = pathParameter("model", models, "The name of a released model.");
  const version = pathParameter("version", [], "One of the model's versions.");
  const label = pathParameter("label", ["stable"], "What release.json calls the version.");
  const one = [model];
  const versioned = [model, version];
  const labelled = [model, label];
  const paths: Record<string, Record<string, object>> = {};

  function add(method: "get" | "post", path: string, options: OperationOptions): void {
    paths[path] = { ...paths[path], [method]: operation(`${method} ${path}`, options) };
  }
  const get = (
    tag: string,
    summary: string,
    path: string,
    schema: JsonSchema | string,
    more = {},
  ) => add("get", path, { tag, summary, answer: answers(schema), ...more });

  get("Health", "The process is alive", "/health", anything);
  get("Health", "It can answer a prediction", "/ready", anything);
  get("Models", "Released models: native, KServe and OpenAI", "/v1/models", "ModelList");
  get("Models", "A model", "/v1/models/{model}", "Model", { parameters: one });
  get("Models", "A version", "/v1/models/{model}/versions/{version}", "Model", {
    parameters: versioned,
  });
  add("post", "/v1/models/{model}/versions/{version}/predict", {
    tag: "Predict",
    summary: "A prediction of a named version",
    parameters: versioned,
    body: json({ type: "object", required: ["inputs"], properties: { parameters: anything } }),
    answer: answers(anything),
  });

  const inference = "Open Inference Protocol";
  get(inference, "Alive", "/v2/health/live", anything);
  get(inference, "Ready", "/v2/health/ready", anything);
  get(inference, "The server", "/v2", anything);
  get(inference, "Statistics of this instance", "/v2/models/stats", "Statistics");
  for (const [path, parameters] of [
    ["/v2/models/{model}", one],
    ["/v2/models/{model}/versions/{version}", versioned],
  ] as const) {
    get(inference, "Metadata", path, "ModelMetadata", { parameters });
    get(inference, "Readiness", `${path}/ready`, anything, { parameters });
    get(inference, "Configuration", `${path}/config`, "ModelConfiguration", { parameters });
    get(inference, "Statistics", `${path}/stats`, "Statistics", { parameters });
    add("post", `${path}/infer`, {
      tag: inference,
      summary: "Tensors in, tensors out",
      description:
        "With the header Inference-Header-Content-Length the body is as much JSON and then binary tensors.",
      parameters,
      body: json("InferenceRequest"),
      answer: {
        description: "JSON, or JSON and binary tensors where those were asked for.",
        content: { ...json("InferenceResponse"), "application/octet-stream": { schema: {} } },
      },
    });
  }
  const repository = "/v2/repository";
  add("post", `${repository}/index`, {
    tag: inference,
    summary: "Every released model",
    optionalBody: true,
    body: json({
      type: "object",
      additionalProperties: false,
      properties: { ready: { type: "boolean" } },
    }),
    answer: answers({ type: "array", items: anything }),
  });
  for (const change of ["load", "unload"])
    add("post", `${repository}/models/{model}/${change}`, {
      tag: inference,
      summary: change === "load" ? "Load ahead of time" : "Take out of memory",
      parameters: one,
      optionalBody: true,
      body: json({ type: "object", additionalProperties: false }),
      answer: answers(anything),
    });

  const tensorflow = "TensorFlow Serving";
  for (const [path, parameters] of [
    ["/v1/models/{model}", one],
    ["/v1/models/{model}/versions/{version}", versioned],
    ["/v1/models/{model}/labels/{label}", labelled],
  ] as const) {
    get(tensorflow, "Signature", `${path}/metadata`, anything, { parameters });
    add("post", `${path}:predict`, {
      tag: tensorflow,
      summary: "Rows or columns in, predictions or outputs out",
      parameters,
      body: json({
        type: "object",
        additionalProperties: false,
        properties: {
          signature_name: { enum: ["serving_default"] },
          instances: { type: "array", minItems: 1 },
          inputs: {},
        },
        oneOf: [{ required: ["instances"] }, { required: ["inputs"] }],
      }),
      answer: answers({
        anyOf: [{ required: ["predictions"] }, { required: ["outputs"] }],
        type: "object",
      }),
    });
  }
  get(tensorflow, "Status", "/v1/models/{model}/labels/{label}", anything, {
    parameters: labelled,
  });

  add("post", "/v1/embeddings", {
    tag: "OpenAI",
    summary: "Vectors of texts",
    body: json({
      type: "object",
      required: ["model", "input"],
      additionalProperties: false,
      properties: {
        model: embeddings.length > 0 ? { enum: embeddings } : { type: "string" },
        input: {
          anyOf: [{ type: "string" }, { type: "array", minItems: 1, items: { type: "string" } }],
        },
        encoding_format: { enum: ["float", "base64"], default: "float" },
        dimensions: { type: "integer", minimum: 1 },
        user: { type: "string" },
      },
    }),
    answer: answers(anything),
    error: openai,
  });

  const ml = "MLflow and SageMaker";
  add("get", "/ping", {
    tag: ml,
    summary: "Ready",
    answer: { description: "Ready.", content: text },
    error: mlflow,
  });
  add("get", "/version", {
    tag: ml,
    summary: "Version",
    answer: { description: "The version.", content: text },
    error: mlflow,
  });
  add("post", "/invocations", {
    tag: ml,
    summary: "Predictions of the default model, or of X-Amzn-SageMaker-Target-Model",
    parameters: [
      {
        name: "X-Amzn-SageMaker-Target-Model",
        in: "header",
        required: false,
        schema: { type: "string" },
      },
    ],
    body: {
      ...json({
        type: "object",
        additionalProperties: false,
        properties: {
          dataframe_split: anything,
          dataframe_records: { type: "array", items: anything },
          instances: { type: "array" },
          inputs: {},
          params: anything,
        },
      }),
      "text/csv": { schema: { type: "string" } },
    },
    answer: answers({ type: "object", required: ["predictions"] }),
    error: mlflow,
  });
  get("Documentation", "This description", "/openapi.json", anything);
  add("get", "/docs", {
    tag: "Documentation",
    summary: "A page to read and try it",
    answer: { description: "The page.", content: { "text/html": { schema: { type: "string" } } } },
  });
  return paths;
}

function answers(schema: JsonSchema | string) {
  return { description: "The answer.", content: json(schema) };
}
