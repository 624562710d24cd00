import { gzipSync } from "node:zlib";
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { ModelInferRequestSchema } from "../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import type { Random } from "./random.ts";
import { withHeader, type Attack } from "./request.ts";

const SERVICE = "/inference.GRPCInferenceService";
const METHODS = [
  "ServerLive",
  "ServerReady",
  "ServerMetadata",
  "ModelReady",
  "ModelMetadata",
  "RepositoryIndex",
  "RepositoryModelLoad",
  "RepositoryModelUnload",
  "ModelStreamInfer",
  "toString",
  "",
];
const MODELS = [
  "iris",
  "sentiment",
  "digits",
  "bytes",
  "mixed",
  "int64",
  "fp16",
  "nobody",
  "",
  "é",
];
const DATATYPES = ["FP64", "FP16", "INT8", "INT64", "BOOL", "BYTES", "fp32", "", "toString"];
const SHAPES: readonly bigint[][] = [
  [],
  [0n],
  [4n],
  [4n, 1n],
  [0n, 4n],
  [-1n, 4n],
  [65_536n, 65_536n],
  [2n ** 53n, 4n],
  [2n ** 63n - 1n, 2n ** 63n - 1n],
  Array.from({ length: 2000 }, () => 1n),
];
const TYPES = [
  "application/grpc-web",
  "application/grpc-web+json",
  "application/grpc-web-text",
  "application/grpc",
  "application/connect+proto",
  "application/connect+json",
  "application/json; charset=utf-16",
  "application/protobuf",
  "text/plain",
  "",
];
/** Fields, groups and lengths that protobuf can say and no request has. */
const PROTOBUF: readonly ((random: Random) => Buffer)[] = [
  // Groups in groups: what skips one calls itself.
  () => Buffer.alloc(200_000, 0x0b),
  () => Buffer.concat([Buffer.alloc(5_000, 0x7b), Buffer.alloc(5_000, 0x7c)]),
  // A number that never ends.
  () => Buffer.alloc(40, 0xff),
  // Inputs, each of them empty.
  () => Buffer.alloc(200_000, Buffer.of(0x2a, 0)),
  // A length beyond what follows, or beyond 32 bits.
  () => Buffer.of(0x2a, 0xff, 0xff, 0xff, 0xff, 0x07),
  () => Buffer.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
  // Field 0, a type that there is not, an end without its beginning.
  () => Buffer.of(0x00, 0x00),
  () => Buffer.of(0x0f, 0x01),
  () => Buffer.of(0x0c),
  (random) => random.bytes(random.below(200)),
];

/** Calls of gRPC's methods by Connect and gRPC-Web, whose messages, envelopes and headers do not agree. */
export function rpcAttack(random: Random): Attack {
  const isJson = random.chance(0.2);
  const isWeb = !isJson && random.chance(0.5);
  const usual = isJson
    ? "application/json"
    : isWeb
      ? "application/grpc-web+proto"
      : "application/proto";
  const message = isJson ? jsonOf(random) : protobufOf(random);
  const flags = random.mostly(0, [1, 2, 0x80, 0xff]);
  const body = isWeb ? enveloped(random, message, flags) : message;
  const type = random.mostly(usual, TYPES);
  let attack: Attack = {
    kind: "rpc",
    method: random.mostly("POST", ["GET", "PUT"]),
    path: `${SERVICE}/${random.mostly("ModelInfer", METHODS)}`,
    headers: type === "" ? [] : [["Content-Type", type]],
    body: random.chance(0.1) ? Buffer.concat([body, random.bytes(1 + random.below(9))]) : body,
  };
  if (random.chance(0.1))
    attack = withHeader(
      attack,
      random.pick(["Connect-Timeout-Ms", "grpc-timeout"]),
      random.pick([
        "0",
        "1",
        "1n",
        "0S",
        "30S",
        "-1S",
        "99999999H",
        "999999999S",
        "9999999999",
        "a",
      ]),
    );
  if (flags === 1 || random.chance(0.05))
    attack = withHeader(attack, "grpc-encoding", random.mostly("gzip", ["deflate", "br", ""]));
  return attack;
}

function inferRequest(random: Random) {
  const count = random.mostly(1, [0, 2, 4]);
  const bytes = random.bytes(random.mostly(16, [0, 1, 4, 15, 32]));
  const isRaw = random.chance(0.7);
  const numbers = Array.from(bytes, (byte) => byte / 3);
  return create(ModelInferRequestSchema, {
    modelName: random.mostly("iris", MODELS),
    modelVersion: random.mostly("", ["1", "9", "-1", "__proto__"]),
    inputs: Array.from({ length: count }, () => ({
      name: random.mostly("features", ["x", "text", "", "__proto__"]),
      datatype: random.mostly("FP32", DATATYPES),
      shape: random.mostly([1n, 4n], SHAPES),
      ...(!isRaw && {
        contents: random.pick([
          { fp32Contents: numbers.slice(0, 4) },
          { fp64Contents: numbers },
          { int64Contents: [2n ** 62n, -1n] },
          { boolContents: [true] },
          { bytesContents: [bytes, bytes] },
          { fp32Contents: [NaN, Infinity, -Infinity, -0], uintContents: [1] },
        ]),
      }),
    })),
    outputs: random.mostly<{ name: string }[]>(
      [],
      [[{ name: "" }], [{ name: "a" }, { name: "a" }]],
    ),
    rawInputContents: Array.from({ length: isRaw ? count : random.mostly(0, [1]) }, () => bytes),
  });
}

function protobufOf(random: Random): Buffer {
  if (random.chance(0.2)) return random.pick(PROTOBUF)(random);
  const message = Buffer.from(toBinary(ModelInferRequestSchema, inferRequest(random)));
  const at = random.below(message.length + 1);
  return random.mostly<() => Buffer>(
    () => message,
    [
      () => message.subarray(0, at),
      () => Buffer.concat([message.subarray(0, at), random.bytes(1), message.subarray(at + 1)]),
      () => Buffer.concat([message, random.pick(PROTOBUF)(random)]),
    ],
  )();
}

function jsonOf(random: Random): Buffer {
  const text = toJsonString(ModelInferRequestSchema, inferRequest(random));
  return Buffer.from(
    random.mostly(text, [
      text.slice(0, random.below(text.length)),
      text.replace('"shape":["1"', '"shape":["9223372036854775808"'),
      text.replace('"modelName"', '"__proto__"'),
      "[".repeat(100_000),
      "null",
      "",
    ]),
  );
}

/** A flag, and four bytes of length (gRPC over HTTP/2, "Length-Prefixed-Message"). */
function enveloped(random: Random, message: Buffer, flags: number): Buffer {
  const bytes = flags === 1 && random.chance(0.8) ? gzipSync(message) : message;
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(random.mostly(bytes.length, [0, 1, bytes.length + 1, 2 ** 32 - 1]), 1);
  return Buffer.concat([head, bytes]);
}
