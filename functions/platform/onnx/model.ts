import { create, fromBinary, toBinary, type Message } from "@bufbuild/protobuf";
import { messageOf } from "./proto.ts";

/** The fields of an ONNX model that are read or changed here (onnx.proto). Other fields stay as they are. */
export type OnnxModel = Message & {
  graph?: OnnxGraph;
  opsetImport: { domain: string; version: bigint }[];
  metadataProps: { key: string; value: string }[];
};

export interface OnnxGraph {
  node: OnnxNode[];
  initializer: OnnxTensor[];
  input: OnnxValue[];
  output: OnnxValue[];
}

export interface OnnxNode {
  input: string[];
  output: string[];
  opType: string;
  domain: string;
  attribute: OnnxAttribute[];
}

export interface OnnxAttribute {
  name: string;
  f: number;
  i: bigint;
  s: Uint8Array;
  t?: OnnxTensor;
  floats: number[];
  ints: bigint[];
  strings: Uint8Array[];
}

export interface OnnxTensor {
  name: string;
  dims: bigint[];
  dataType: number;
  floatData: number[];
  int32Data: number[];
  stringData: Uint8Array[];
  int64Data: bigint[];
  doubleData: number[];
  rawData: Uint8Array;
}

export type OnnxValue = Message & { name: string; type?: OnnxType };

interface OnnxType {
  tensorType?: { elemType: number; shape?: { dim: { dimValue: bigint; dimParam: string }[] } };
  sequenceType?: { elemType?: OnnxType };
}

/** Throws an Error when the bytes are no whole protobuf message. */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  return fromBinary(messageOf("ModelProto"), bytes) as unknown as OnnxModel;
}

export function writeOnnx(model: OnnxModel): Uint8Array {
  return toBinary(messageOf("ModelProto"), model);
}

/** TensorProto.DataType of float32. */
const FLOAT = 1;

/** A graph's output that is a float32 tensor `[rows, width]`. */
export function floatOutput(name: string, width: number): OnnxValue {
  return tensorValue(name, FLOAT, [-1, width]);
}

/** An input or output that is a tensor; -1 is any size. Without a shape it may have any. */
export function tensorValue(name: string, elemType: number, shape?: readonly number[]): OnnxValue {
  const dim = shape?.map((size) => (size < 0 ? {} : { dimValue: BigInt(size) }));
  return create(messageOf("ValueInfoProto"), {
    name,
    type: { tensorType: { elemType, ...(dim && { shape: { dim } }) } },
  }) as unknown as OnnxValue;
}

/** TensorProto.DataType of int64. */
const INT64 = 7;

/** A constant of int64. */
export function integers(name: string, values: readonly number[]): OnnxTensor {
  const fields = { name, dims: [BigInt(values.length)], dataType: INT64 };
  const made = create(messageOf("TensorProto"), { ...fields, int64Data: values.map(BigInt) });
  return made as unknown as OnnxTensor;
}

export function node(
  opType: string,
  input: string[],
  output: string[],
  attribute: OnnxAttribute[] = [],
): OnnxNode {
  const fields = { opType, input, output, attribute };
  return create(messageOf("NodeProto"), fields) as unknown as OnnxNode;
}

/** AttributeProto.AttributeType of an integer. */
const INT_ATTRIBUTE = 2;

export function integerAttribute(name: string, value: number): OnnxAttribute {
  const fields = { name, i: BigInt(value), type: INT_ATTRIBUTE };
  return create(messageOf("AttributeProto"), fields) as unknown as OnnxAttribute;
}

/** AttributeProto.AttributeType of a list of integers. */
const INTS_ATTRIBUTE = 7;

export function integersAttribute(name: string, values: readonly number[]): OnnxAttribute {
  const fields = { name, ints: values.map(BigInt), type: INTS_ATTRIBUTE };
  return create(messageOf("AttributeProto"), fields) as unknown as OnnxAttribute;
}

/** AttributeProto.AttributeType of a string. */
const STRING_ATTRIBUTE = 3;

export function stringAttribute(name: string, s: Uint8Array): OnnxAttribute {
  const made = create(messageOf("AttributeProto"), { name, s, type: STRING_ATTRIBUTE });
  return made as unknown as OnnxAttribute;
}
