import type { Random } from "./random.ts";
import { withHeader, type Attack } from "./request.ts";
import { postBinary, validBinary } from "./valid-requests.ts";

const SIZES = [
  0,
  1,
  2,
  3,
  4,
  7,
  15,
  16,
  17,
  31,
  32,
  1000,
  -1,
  0.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  1e308,
];
const LENGTHS = [
  "0",
  "1",
  "-1",
  "+1",
  "1e3",
  "0x10",
  " 5",
  "5 ",
  "",
  "NaN",
  "Infinity",
  "9".repeat(400),
  "0".repeat(300),
  "2147483648",
  "4294967296",
  "9007199254740993",
  "1, 2",
  "1;2",
  "²",
];
const SHAPES = [
  [],
  [0],
  [1],
  [4],
  [1, 4],
  [4, 1],
  [0, 4],
  [1, 4, 1],
  [1, -1],
  [-1, 4],
  [1.5, 4],
  [2, 2],
  [65_536, 65_536],

  [2 ** 31, 2],
  [2 ** 31 - 1, 4],
  [2 ** 32, 4],
  [2 ** 53, 4],
  [1e308, 1e308],
  [0, 2 ** 53],
  Array.from({ length: 40 }, () => 1),
  Array.from({ length: 2000 }, () => 2),

  [1, 1, 1],
  [1000, 1, 1],
  [1001, 1, 1],
  [0, 0, 0],
  [2, 1, 3],
];
const DATATYPES = [
  "FP32",
  "FP32",
  "FP64",
  "FP16",
  "BF16",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "UINT8",
  "UINT64",
  "BOOL",
  "BYTES",
  "fp32",
  "",
  "FP128",
  "toString",
];
const IDENTITIES = ["fp32", "fp64", "fp16", "int8", "int16", "int32", "int64", "uint8", "bool"];
const MODELS = ["iris", "sentiment", "digits", "bytes", "mixed", "gather", "scalar", "search"];
const NAMES = ["features", "text", "pixels", "number", "input_ids", "indices", "__proto__", ""];
const BYTES_OF: Record<string, number> = {
  FP32: 4,
  FP64: 8,
  FP16: 2,
  INT16: 2,
  INT32: 4,
  INT64: 8,
};

/** Tensors in JSON or in the binary extension whose lengths, shapes and datatypes do not agree. */
export function tensorAttack(random: Random): Attack {
  if (random.chance(0.2)) return damaged(random, random.pick(validBinary));
  const model = random.mostly(random.pick(IDENTITIES), MODELS);
  const count = random.mostly(1, [0, 2, 4]);
  const tensors = Array.from({ length: count }, () => tensor(random, model.toUpperCase()));
  const outputs = random.mostly(undefined, [
    [],
    [{ name: "y" }],
    [{ name: "y" }, { name: "y" }],
    [{ name: "__proto__" }],
  ]);
  const head = {
    inputs: tensors.map(({ json }) => json),
    outputs,
    ...(random.chance(0.3) && { parameters: { binary_data_output: random.chance(0.8) } }),
  };
  const attack = postBinary(model, head, Buffer.concat(tensors.map(({ bytes }) => bytes)));
  return random.chance(0.2) ? damaged(random, attack) : { ...attack, kind: "tensor" };
}

function tensor(random: Random, usualDatatype: string) {
  const bytes = random.bytes(random.mostly(8, [0, 1, 4, 15, 16, 32, 64]));
  const isBinary = random.chance(0.7);
  const size = { binary_data_size: random.mostly(bytes.length, SIZES) };
  const numbers = Array.from(bytes, (byte) =>
    random.mostly<unknown>(byte % 2, [
      byte - 128,
      byte / 3,
      String(byte),
      byte > 127,
      "NaN",
      1e308,
    ]),
  );
  const datatype = random.mostly(usualDatatype, DATATYPES);
  const count = isBinary ? bytes.length / (BYTES_OF[datatype] ?? 1) : bytes.length;
  return {
    bytes: isBinary ? bytes : Buffer.alloc(0),
    json: {
      name: random.mostly("x", NAMES),
      shape: random.mostly<unknown[]>([1, count, 1], SHAPES),
      datatype,
      ...(isBinary ? { parameters: size } : { data: numbers }),
      ...(random.chance(0.05) && { data: [1], parameters: size }),
    },
  };
}

function damaged(random: Random, attack: Attack): Attack {
  const { body = Buffer.alloc(0) } = attack;
  const shown = { ...attack, kind: "tensor" };
  const at = random.below(body.length + 1);
  return random.pick<() => Attack>([
    () => withHeader(shown, "Inference-Header-Content-Length", random.pick(LENGTHS)),
    () =>
      withHeader(shown, "Inference-Header-Content-Length", String(random.below(body.length + 20))),
    () => ({ ...shown, body: body.subarray(0, at) }),
    () => ({ ...shown, body: Buffer.concat([body, random.bytes(1 + random.below(40))]) }),
    () => ({
      ...shown,
      body: Buffer.concat([body.subarray(0, at), random.bytes(1), body.subarray(at + 1)]),
    }),
    // The whole body as the one input's bytes.
    () => ({
      ...withHeader(shown, "Inference-Header-Content-Length", "0"),
      body: random.bytes(random.pick([0, 1, 16, 32, 33])),
    }),
  ])();
}
