import { digitPng, postBinary } from "../valid-requests.ts";
import { postJson, type Attack } from "../request.ts";
import type { Recipe } from "./genes.ts";

/** Inputs by model: name, datatype, and the sizes that are not free. */
const TENSORS = {
  iris: ["features", "FP32", [0, 4]],
  digits: ["pixels", "FP32", [0, 1, 8, 8]],
  retail: ["basket", "FP32", [0, 500]],
  search: ["input_ids", "INT64", [0, 0]],
  fp32: ["x", "FP32", [0, 0, 0]],
  fp64: ["x", "FP64", [0, 0, 0]],
  fp16: ["x", "FP16", [0, 0, 0]],
  int8: ["x", "INT8", [0, 0, 0]],
  int64: ["x", "INT64", [0, 0, 0]],
  bool: ["x", "BOOL", [0, 0, 0]],
  sentiment: ["text", "BYTES", [0]],
  bytes: ["x", "BYTES", [0, 0, 0]],
} as const;

type Model = keyof typeof TENSORS;

const BYTES = { FP32: 4, FP64: 8, FP16: 2, INT8: 1, INT64: 8, BOOL: 1, BYTES: 4 } as const;

const DIGIT = digitPng.toString("base64");
const MOST = 3_000_000;

const GENES = {
  model: Object.keys(TENSORS),
  first: [1, 2_000_000],
  second: [1, 2_000_000],
  third: [1, 5_000],
  value: ["0", "1", "2000", "-0.5"],
  answer: ["json", "binary"],
} as const;

/** The tensor's name, datatype and shape, and how many elements it has. */
function tensorOf(genes: Readonly<Record<string, number | string>>) {
  const [name, datatype, fixed] = TENSORS[genes["model"] as Model];
  const free = [genes["first"], genes["second"], genes["third"]].map(Number);
  const shape = fixed.map((size) => (size === 0 ? (free.shift() ?? 1) : size));
  return { name, datatype, shape, count: shape.reduce((product, size) => product * size, 1) };
}

/** Two inputs for the model that needs a mask too. */
function allInputs<T extends { name: string }>(model: unknown, input: T): T[] {
  return model === "search" ? [input, { ...input, name: "attention_mask" }] : [input];
}

const element = (datatype: string, value: unknown): string =>
  datatype === "BYTES" ? '""' : datatype === "BOOL" ? "true" : String(value);

const integer = (datatype: string, value: unknown): string =>
  /INT/.test(datatype) ? String(Math.abs(Math.trunc(Number(value))) % 100) : String(value);

const jsonTensors: Recipe = {
  name: "v2 tensors in JSON",
  genes: { ...GENES, nested: ["flat", "nested"] },
  make(genes) {
    const { name, datatype, shape, count } = tensorOf(genes);
    const one = element(datatype, integer(datatype, genes["value"]));
    if (count * (one.length + 1) > 6_400_000) return undefined;
    const data =
      genes["nested"] === "nested" ? nest(one, shape) : `[${`${one},`.repeat(count).slice(0, -1)}]`;
    if (data.length > 6_400_000) return undefined;
    const inputs = allInputs(genes["model"], { name, shape, datatype, data: "DATA" });
    const head = { inputs, parameters: { binary_data_output: genes["answer"] === "binary" } };
    const attack = postJson(`/v2/models/${genes["model"]}/infer`, head);
    return withBody(attack, String(attack.body).replaceAll('"DATA"', data));
  },
};

const binaryTensors: Recipe = {
  name: "v2 tensors in binary",
  genes: GENES,
  make(genes) {
    const { name, datatype, shape, count } = tensorOf(genes);
    if (count > MOST) return undefined;
    const bytes = Buffer.alloc(count * BYTES[datatype]);
    const parameters = { binary_data_size: bytes.length };
    const inputs = allInputs(genes["model"], { name, shape, datatype, parameters });
    const head = { inputs, parameters: { binary_data_output: genes["answer"] === "binary" } };
    return postBinary(String(genes["model"]), head, Buffer.concat(inputs.map(() => bytes)));
  },
};

const rawTensor: Recipe = {
  name: "v2 one tensor raw",
  genes: { model: Object.keys(TENSORS), bytes: [1, 6_400_000], value: ["0", "1", "65", "255"] },
  make: (genes) => ({
    ...postBinary(String(genes["model"]), {}, new Uint8Array()),
    headers: [
      ["Content-Type", "application/octet-stream"],
      ["Inference-Header-Content-Length", "0"],
    ],
    body: Buffer.alloc(Number(genes["bytes"]), Number(genes["value"])),
  }),
};

const rowTensors: Recipe = {
  name: "rows of tensors",
  genes: { ...GENES, dialect: ["predict", "tensorflow-serving", "columns", "mlflow"] },
  make(genes) {
    const { name, datatype, shape, count } = tensorOf(genes);
    const one = element(datatype, integer(datatype, genes["value"]));
    if (count * (one.length + 1) > 6_400_000) return undefined;
    const data = nest(one, shape);
    if (data.length > 6_400_000) return undefined;
    const named = `{${allInputs(genes["model"], { name })
      .map((input) => `"${input.name}":${data}`)
      .join()}}`;
    const { model, dialect } = genes;
    if (dialect === "predict")
      return withBody(postJson(`/v1/models/${model}/predict`, {}), `{"inputs":${named}}`);
    if (dialect === "mlflow")
      return withBody(
        postJson("/invocations", {}, [["X-Amzn-SageMaker-Target-Model", String(model)]]),
        `{"inputs":${named}}`,
      );
    return withBody(
      postJson(`/v1/models/${model}:predict`, {}),
      dialect === "columns" ? `{"inputs":${named}}` : `{"instances":${data}}`,
    );
  },
};

const topK: Recipe = {
  name: "top_k of many rows",
  genes: { model: ["retail", "iris", "digits"], rows: [1, 5_000], topK: [1, 1_000_000] },
  make({ model, rows, topK: top_k }) {
    const row = { retail: ["85123A"], iris: [5, 3, 1, 0] }[String(model)] ?? DIGIT;
    const inputs = Array.from({ length: Number(rows) }, () => row);
    return postJson(`/v1/models/${model}/predict`, { inputs, parameters: { top_k } });
  },
};

export const tensorRecipes: Recipe[] = [jsonTensors, binaryTensors, rawTensor, rowTensors, topK];

function withBody(attack: Attack, text: string): Attack {
  return { ...attack, body: Buffer.from(text) };
}

function nest(one: string, shape: readonly number[]): string {
  return shape.reduceRight((inner, size) => {
    if ((inner.length + 1) * size > 6_400_000) return " ".repeat(6_400_001);
    return `[${`${inner},`.repeat(size).slice(0, -1)}]`;
  }, one);
}
