/** A request: path, body, and header fields besides that of JSON. */
export type Asked = [
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
];

/** How each dialect is asked for rows of token ids: the shipped model `search` takes them with their mask. */
export const FORMS: Record<string, (rows: number[][], outputs?: string[]) => Asked> = {
  v2: (rows, outputs) => [
    "/v2/models/search/infer",
    JSON.stringify({
      inputs: NAMES.map((name) => ({
        name,
        shape: [rows.length, rows[0]?.length],
        datatype: "INT64",
        data: rows.flat(),
      })),
      ...(outputs && { outputs: outputs.map((name) => ({ name })) }),
    }),
    {},
  ],
  "instances of TensorFlow Serving": (rows) => [
    "/v1/models/search:predict",
    JSON.stringify({ instances: rows.map((ids) => byName(ids)) }),
    {},
  ],
  "inputs of TensorFlow Serving": (rows) => [
    "/v1/models/search:predict",
    JSON.stringify({ inputs: byName(rows) }),
    {},
  ],
  "inputs of MLflow": (rows) => [
    "/invocations",
    JSON.stringify({ inputs: byName(rows) }),
    { "X-Amzn-SageMaker-Target-Model": "search" },
  ],
};

const NAMES = ["input_ids", "attention_mask"];

function byName<Value>(value: Value): Record<string, Value> {
  return Object.fromEntries(NAMES.map((name) => [name, value]));
}

export function tokens(form: string, rows: number, width: number, outputs?: string[]): Asked {
  const row = Array.from({ length: width }, () => 1);
  const ask = FORMS[form] as (typeof FORMS)[string];
  return ask(
    Array.from({ length: rows }, () => row),
    outputs,
  );
}

/** The same in v2's binary form, with the answer in binary too. */
export function binaryTokens(rows: number, width: number): Asked {
  const bytes = 8 * rows * width;
  const json = JSON.stringify({
    parameters: { binary_data_output: true },
    inputs: NAMES.map((name) => ({
      name,
      shape: [rows, width],
      datatype: "INT64",
      parameters: { binary_data_size: bytes },
    })),
  });
  const ones = new Uint8Array(new BigInt64Array(2 * rows * width).fill(1n).buffer);
  return [
    "/v2/models/search/infer",
    new Uint8Array(Buffer.concat([Buffer.from(json), ones])),
    { "Inference-Header-Content-Length": String(json.length) },
  ];
}
