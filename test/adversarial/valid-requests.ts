import { shippedModels } from "../harness/models.ts";
import { postJson, type Attack } from "./request.ts";

const FLOWER = [5.1, 3.5, 1.4, 0.2];
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const COLUMNS = Object.keys(NAMED);

/** The first example of every shipped model, by the native API. */
export const examples = shippedModels.map(({ manifest: { name, examples } }) => ({
  output: examples[0]?.output,
  request: postJson(`/v1/models/${name}/predict`, { inputs: examples[0]?.input }),
}));

const digit = String(
  shippedModels.find(({ manifest }) => manifest.name === "digits")?.manifest.examples[0]?.input,
);
export const digitPng = Buffer.from(digit, "base64");

/** `head` is JSON, `tensors` the binary extension's bytes behind it. */
export function postBinary(model: string, head: object, tensors: Uint8Array): Attack {
  const json = Buffer.from(JSON.stringify(head));
  return {
    kind: "valid",
    method: "POST",
    path: `/v2/models/${model}/infer`,
    headers: [
      ["Content-Type", "application/octet-stream"],
      ["Inference-Header-Content-Length", String(json.length)],
    ],
    body: Buffer.concat([json, tensors]),
  };
}

const target = (model: string): [string, string][] => [["X-Amzn-SageMaker-Target-Model", model]];

const mixed = [
  { name: "number", shape: [1, 2], datatype: "FP32", data: [-0.5, "NaN"] },
  { name: "count", shape: [1, 1], datatype: "INT64", data: [7] },
  { name: "flag", shape: [1], datatype: "BOOL", data: [true] },
  { name: "text", shape: [1], datatype: "BYTES", data: ["hi"] },
];

const features = { name: "features", shape: [1, 4], datatype: "FP32" };

/** JSON requests of every dialect; all are answered with 200. */
export const validJson: Attack[] = [
  ...examples.map(({ request }) => request),
  postJson("/v1/models/iris/predict", { inputs: NAMED, parameters: { top_k: 2 } }),
  postJson("/v1/models/iris/versions/1/predict", { inputs: [NAMED, FLOWER] }),
  postJson("/v1/models/sentiment/predict", { inputs: ["Great phone.", "", "👍🏽 好"] }),
  postJson("/v1/models/digits/predict", { inputs: `data:image/png;base64,${digit}` }),
  postJson("/v1/models/retail/predict", { inputs: ["85123A"], parameters: { top_k: 3 } }),
  postJson("/v1/models/iris:predict", { instances: [FLOWER, FLOWER] }),
  postJson("/v1/models/iris/labels/stable:predict", { inputs: [FLOWER] }),
  postJson("/v1/models/sentiment:predict", { instances: ["Great phone."] }),
  postJson("/v1/models/digits:predict", { instances: [{ b64: digit }] }),
  postJson("/v2/models/iris/infer", { id: "a", inputs: [{ ...features, data: FLOWER }] }),
  postJson("/v2/models/mixed/infer", {
    inputs: mixed,
    outputs: [{ name: "text_out" }, { name: "count_out" }],
  }),
  postJson("/v2/models/sentiment/infer", {
    inputs: [{ name: "text", shape: [1], datatype: "BYTES", data: ["bad"] }],
  }),
  ...["fp32", "fp64", "int8", "int32", "int64", "uint8", "uint64", "bool", "fp16"].map((model) =>
    postJson(`/v2/models/${model}/infer`, {
      inputs: [{ name: "x", shape: [1, 1, 1], datatype: model.toUpperCase(), data: [1] }],
    }),
  ),
  postJson("/v2/repository/index", { ready: true }),
  postJson("/v2/repository/models/iris/load", {}),
  postJson("/invocations", { dataframe_split: { columns: COLUMNS, data: [FLOWER] } }),
  postJson("/invocations", { dataframe_records: [NAMED] }),
  postJson("/invocations", { instances: [FLOWER], params: { top_k: 1 } }),
  postJson("/invocations", { inputs: ["good"] }, target("sentiment")),
  postJson("/v1/embeddings", { model: "search", input: ["candle", "lamp"] }),
  postJson("/v1/embeddings", { model: "search", input: "a", encoding_format: "base64" }),
  postJson("/embed", { inputs: ["candle", "lamp"] }),
  postJson("/predict", { inputs: [["good"], ["bad"]] }),
  postJson("/v2/embed", { texts: ["candle"], embedding_types: ["ubinary"] }),
  postJson("/models/sentiment", { inputs: ["good", "bad"], parameters: { top_k: 1 } }),
  postJson("/models/search", { inputs: { source_sentence: "candle", sentences: ["lamp"] } }),
  postJson("/models/iris", { table: Object.fromEntries(COLUMNS.map((name) => [name, ["2.5"]])) }),
  postJson("/tokenize", { inputs: ["candle", "lamp"] }),
  postJson("/decode", { ids: [[1, 2], [3]] }),
  postJson("/predict?model=iris", { features: FLOWER }),
  postJson("/batch_predict?model=iris", [{ features: FLOWER }, NAMED]),
  postJson("/similarity", { inputs: { source_sentence: "candle", sentences: ["lamp"] } }),
];

const flower = Buffer.from(Float32Array.from(FLOWER).buffer);

/** Requests whose body is not JSON alone. */
export const validBinary: Attack[] = [
  postBinary("iris", { inputs: [{ ...features, parameters: { binary_data_size: 16 } }] }, flower),
  postBinary(
    "iris",
    {
      inputs: [{ ...features, shape: [2, 4], parameters: { binary_data_size: 32 } }],
      parameters: { binary_data_output: true },
    },
    Buffer.concat([flower, flower]),
  ),
  postBinary(
    "sentiment",
    {
      inputs: [
        { name: "text", shape: [1], datatype: "BYTES", parameters: { binary_data_size: 6 } },
      ],
    },
    Buffer.from([2, 0, 0, 0, 0x68, 0x69]),
  ),
];

export const validCsv: Attack = {
  kind: "valid",
  method: "POST",
  path: "/invocations",
  headers: [["Content-Type", "text/csv"]],
  body: Buffer.from(`${COLUMNS.join(",")}\n${FLOWER.join(",")}\n`),
};
