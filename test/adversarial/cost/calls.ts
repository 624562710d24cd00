import { gzipSync } from "node:zlib";
import { create, toBinary, toJsonString, type MessageInitShape } from "@bufbuild/protobuf";
import { ModelInferRequestSchema } from "../../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import type { Attack } from "../request.ts";
import type { Recipe } from "./genes.ts";

type Infer = MessageInitShape<typeof ModelInferRequestSchema>;

const INFER = "/inference.GRPCInferenceService/ModelInfer";
const WAYS = ["connect", "connect-json", "grpc-web", "grpc-web-gzip"] as const;
const MOST = 1_600_000;

/** Contents with so many elements, by the name of a model that takes them, and bytes of one. */
const CONTENTS: Record<string, { bytes: number; contents: (count: number) => object }> = {
  fp32: { bytes: 4, contents: (count) => ({ fp32Contents: Array(count).fill(1) }) },
  fp64: { bytes: 8, contents: (count) => ({ fp64Contents: Array(count).fill(0.1) }) },
  int64: { bytes: 8, contents: (count) => ({ int64Contents: Array(count).fill(1n) }) },
  uint8: { bytes: 1, contents: (count) => ({ uintContents: Array(count).fill(1) }) },
  bool: { bytes: 1, contents: (count) => ({ boolContents: Array(count).fill(true) }) },
  bytes: {
    bytes: 4,
    contents: (count) => ({ bytesContents: Array.from({ length: count }, () => new Uint8Array()) }),
  },
};

const tensors: Recipe = {
  name: "gRPC tensors",
  genes: {
    model: Object.keys(CONTENTS),
    way: WAYS,
    form: ["raw", "typed"],
    first: [1, 1_000_000],
    second: [1, 1000],
  },
  make(genes) {
    const [model, form] = [String(genes["model"]), genes["form"]];
    const shape = [Number(genes["first"]), Number(genes["second"]), 1];
    const count = shape.reduce((product, size) => product * size, 1);
    const made = CONTENTS[model];
    if (!made || count > MOST) return undefined;
    const input = { name: "x", datatype: model.toUpperCase(), shape: shape.map(BigInt) };
    return called(genes["way"], {
      modelName: model,
      ...(form === "raw"
        ? { inputs: [input], rawInputContents: [new Uint8Array(count * made.bytes)] }
        : { inputs: [{ ...input, contents: made.contents(count) }] }),
    });
  },
};

const fields: Recipe = {
  name: "gRPC fields",
  genes: {
    way: WAYS,
    what: ["inputs", "outputs", "shape", "parameters", "raw", "name"],
    count: [1, 200_000],
  },
  make({ way, what, count }) {
    const many = <T>(one: (index: number) => T) =>
      Array.from({ length: Number(count) }, (_, at) => one(at));
    const made: Record<string, () => Infer> = {
      inputs: () => ({ inputs: many(() => ({ name: "x", datatype: "FP32" })) }),
      outputs: () => ({ outputs: many((at) => ({ name: String(at) })) }),
      shape: () => ({ inputs: [{ name: "x", datatype: "FP32", shape: many(() => 1n) }] }),
      parameters: () => ({
        parameters: Object.fromEntries(
          many((at) => [`p${at}`, { parameterChoice: { case: "boolParam", value: true } }]),
        ),
      }),
      raw: () => ({ rawInputContents: many(() => new Uint8Array(1)) }),
      name: () => ({ id: "\u00e9".repeat(Number(count)) }),
    };
    return called(way, { modelName: "fp32", ...made[String(what)]?.() });
  },
};

const groups: Recipe = {
  name: "gRPC groups in groups",
  genes: { depth: [1, 1_000_000], closed: ["no", "yes"] },
  make({ depth, closed }) {
    const count = Number(depth);
    const parts = [Buffer.alloc(count, 0x7b), Buffer.alloc(closed === "yes" ? count : 0, 0x7c)];
    return post("application/proto", Buffer.concat(parts));
  },
};

/** Calls of gRPC's methods over plain HTTP. */
export const callRecipes: Recipe[] = [tensors, fields, groups];

function called(way: unknown, init: Infer): Attack {
  const message = create(ModelInferRequestSchema, init);
  if (way === "connect-json")
    return post("application/json", Buffer.from(toJsonString(ModelInferRequestSchema, message)));
  const bytes = Buffer.from(toBinary(ModelInferRequestSchema, message));
  if (way === "connect") return post("application/proto", bytes);
  const isCompressed = way === "grpc-web-gzip";
  const sent = isCompressed ? gzipSync(bytes) : bytes;
  const head = Buffer.from([Number(isCompressed), 0, 0, 0, 0]);
  head.writeUInt32BE(sent.length, 1);
  const attack = post("application/grpc-web+proto", Buffer.concat([head, sent]));
  return isCompressed
    ? { ...attack, headers: [...attack.headers, ["grpc-encoding", "gzip"]] }
    : attack;
}

function post(type: string, body: Buffer): Attack {
  return { kind: "rpc", method: "POST", path: INFER, headers: [["Content-Type", type]], body };
}
