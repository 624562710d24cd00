import { datatypeNames } from "../tensor.ts";
import { ref } from "./operation.ts";

const string = { type: "string" };
const count = { type: "integer", minimum: 0 };
const strings = { type: "array", items: string };

/** Schemas that do not depend on the models. */
export const components = {
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
      errors: {
        type: "array",
        items: object({ path: string, message: string }),
      },
    },
  },
  OpenAIError: object({
    error: object({
      message: string,
      type: string,
      param: { type: ["string", "null"] },
      code: string,
    }),
  }),
  MLflowError: object({ error_code: string, message: string }),
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
    object: { const: "list" },
    data: {
      type: "array",
      items: object({ id: string, object: { const: "model" }, created: count, owned_by: string }),
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
    id: string,
    object: { const: "model" },
    model_version_status: {
      type: "array",
      items: object({
        version: string,
        state: string,
        status: object({ error_code: string, error_message: string }),
      }),
    },
  }),
  TensorInfo: object({
    name: string,
    datatype: { enum: datatypeNames },
    shape: {
      type: "array",
      items: { type: "integer", minimum: -1 },
      description: "-1 is any size",
    },
  }),
  ModelMetadata: object({
    name: string,
    versions: strings,
    platform: { const: "onnx_onnxv1" },
    inputs: { type: "array", items: ref("TensorInfo") },
    outputs: { type: "array", items: ref("TensorInfo") },
  }),
  ModelConfiguration: object({
    name: string,
    platform: string,
    backend: string,
    max_batch_size: { const: 0 },
    input: {
      type: "array",
      items: object({ name: string, data_type: string, dims: { type: "array" } }),
    },
    output: {
      type: "array",
      items: object({ name: string, data_type: string, dims: { type: "array" } }),
    },
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
  InferenceRequest: {
    type: "object",
    required: ["inputs"],
    additionalProperties: false,
    properties: {
      id: string,
      parameters: { type: "object", properties: { binary_data_output: { type: "boolean" } } },
      inputs: {
        type: "array",
        minItems: 1,
        items: {
          type: "object",
          required: ["name", "shape", "datatype"],
          additionalProperties: false,
          properties: {
            name: string,
            shape: { type: "array", items: count },
            datatype: { enum: datatypeNames },
            parameters: { type: "object", properties: { binary_data_size: count } },
            data: {
              type: "array",
              description:
                "Flat or nested, in row-major order. NaN, Infinity and -Infinity are strings, both ways.",
            },
          },
        },
      },
      outputs: {
        type: "array",
        items: {
          type: "object",
          required: ["name"],
          additionalProperties: false,
          properties: {
            name: string,
            parameters: { type: "object", properties: { binary_data: { type: "boolean" } } },
          },
        },
      },
    },
  },
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
            data: { type: "array" },
            parameters: { type: "object", properties: { binary_data_size: count } },
          },
        },
      },
    },
  },
};

function object(properties: Record<string, object>) {
  return { type: "object", required: Object.keys(properties), properties };
}
