import type { ReleasedModel } from "../../model/released-models.ts";
import {
  ANYTHING,
  answers,
  json,
  modelParameters,
  object,
  pathsOf,
  ref,
  type OperationOptions,
} from "../../openapi/operation.ts";
import { schemaOf } from "../../openapi/schema.ts";
import { datatypeNames } from "../../tensor.ts";
import type { Description } from "../define.ts";
import { changeRequest, indexRequest } from "./repository.ts";
import { inferRequest } from "./schema.ts";

const string = { type: "string" };
const count = { type: "integer", minimum: 0 };
const tensorInfos = { type: "array", items: ref("TensorInfo") };
const configured = {
  type: "array",
  items: object({ name: string, data_type: string, dims: { type: "array" } }),
};

const SCHEMAS = {
  InferenceRequest: schemaOf(inferRequest),
  InferenceResponse: {
    type: "object",
    required: ["model_name", "model_version", "outputs"],
    properties: {
      model_name: string,
      model_version: string,
      id: string,
      outputs: {
        type: "array",
        items: {
          type: "object",
          required: ["name", "datatype", "shape"],
          properties: {
            name: string,
            datatype: { enum: datatypeNames },
            shape: { type: "array", items: count },
            data: {
              type: "array",
              description: "Row-major. NaN, Infinity and -Infinity are strings, both ways.",
            },
            parameters: { type: "object", properties: { binary_data_size: count } },
          },
        },
      },
    },
  },
  ModelMetadata: object({
    name: string,
    versions: { type: "array", items: string },
    platform: { const: "onnx_onnxv1" },
    inputs: tensorInfos,
    outputs: tensorInfos,
  }),
  ModelConfiguration: object({
    name: string,
    platform: string,
    backend: string,
    max_batch_size: { const: 0 },
    input: configured,
    output: configured,
  }),
  Statistics: object({
    model_stats: {
      type: "array",
      items: object({
        name: string,
        version: string,
        last_inference: count,
        inference_count: count,
        execution_count: count,
        inference_stats: {
          type: "object",
          additionalProperties: object({ count, ns: count }),
        },
        batch_stats: { type: "array" },
      }),
    },
  }),
};

const tag = "Open Inference Protocol";
const repository = "/v2/repository";

export function describe(models: readonly ReleasedModel[]): Description {
  const { one, versioned } = modelParameters(models.map(({ manifest }) => manifest.name));
  return {
    paths: pathsOf({
      "get /v2/health/live": { tag, summary: "Alive" },
      "get /v2/health/ready": { tag, summary: "Ready" },
      "get /v2": { tag, summary: "The server" },
      "get /v2/models/stats": {
        tag,
        summary: "Statistics of this instance",
        answer: answers("Statistics"),
      },
      ...modelOperations("/v2/models/{model}", one, { assigned: true }),
      ...modelOperations("/v2/models/{model}/versions/{version}", versioned),
      [`post ${repository}/index`]: {
        tag,
        summary: "Every released model",
        optionalBody: true,
        body: json(schemaOf(indexRequest)),
        answer: answers({ type: "array", items: ANYTHING }),
      },
      [`post ${repository}/models/{model}/load`]: change("Load ahead of time", one),
      [`post ${repository}/models/{model}/unload`]: change("Take out of memory", one),
    }),
    schemas: SCHEMAS,
  };
}

function modelOperations(
  path: string,
  parameters: readonly object[],
  { assigned }: Pick<OperationOptions, "assigned"> = {},
): Record<string, OperationOptions> {
  const get = (summary: string, schema: string | typeof ANYTHING) => ({
    tag,
    summary,
    parameters,
    answer: answers(schema),
  });
  return {
    [`get ${path}`]: get("Metadata", "ModelMetadata"),
    [`get ${path}/ready`]: get("Readiness", ANYTHING),
    [`get ${path}/config`]: get("Configuration", "ModelConfiguration"),
    [`get ${path}/stats`]: get("Statistics", "Statistics"),
    [`post ${path}/infer`]: {
      tag,
      summary: "Tensors in, tensors out",
      description:
        "With the header Inference-Header-Content-Length the body is as much JSON and then binary tensors.",
      parameters,
      body: json("InferenceRequest"),
      assigned,
      answer: {
        description: "JSON, or JSON and binary tensors where those were asked for.",
        content: { ...json("InferenceResponse"), "application/octet-stream": { schema: {} } },
      },
    },
  };
}

function change(summary: string, parameters: readonly object[]): OperationOptions {
  return { tag, summary, parameters, optionalBody: true, body: json(schemaOf(changeRequest)) };
}
