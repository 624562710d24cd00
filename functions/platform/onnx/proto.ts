import { create, createFileRegistry, type DescMessage } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

/** A field of onnx.proto: its number, its type, and whether it is repeated. */
type Field = [number: number, type: keyof typeof Type | `.onnx.${string}`, repeated?: "repeated"];

/**
 * The part of onnx.proto that is read or changed here. All other fields are kept as bytes, and are written again
 * as they were.
 */
const MESSAGES: Record<string, Record<string, Field>> = {
  ModelProto: {
    graph: [7, ".onnx.GraphProto"],
    opset_import: [8, ".onnx.OperatorSetIdProto", "repeated"],
    metadata_props: [14, ".onnx.StringStringEntryProto", "repeated"],
  },
  StringStringEntryProto: { key: [1, "STRING"], value: [2, "STRING"] },
  OperatorSetIdProto: { domain: [1, "STRING"], version: [2, "INT64"] },
  GraphProto: {
    node: [1, ".onnx.NodeProto", "repeated"],
    initializer: [5, ".onnx.TensorProto", "repeated"],
    input: [11, ".onnx.ValueInfoProto", "repeated"],
    output: [12, ".onnx.ValueInfoProto", "repeated"],
  },
  NodeProto: {
    input: [1, "STRING", "repeated"],
    output: [2, "STRING", "repeated"],
    op_type: [4, "STRING"],
    domain: [7, "STRING"],
    attribute: [5, ".onnx.AttributeProto", "repeated"],
  },
  AttributeProto: {
    name: [1, "STRING"],
    f: [2, "FLOAT"],
    i: [3, "INT64"],
    s: [4, "BYTES"],
    t: [5, ".onnx.TensorProto"],
    floats: [7, "FLOAT", "repeated"],
    ints: [8, "INT64", "repeated"],
    strings: [9, "BYTES", "repeated"],
    type: [20, "INT32"],
  },
  TensorProto: {
    name: [8, "STRING"],
    dims: [1, "INT64", "repeated"],
    data_type: [2, "INT32"],
    float_data: [4, "FLOAT", "repeated"],
    int32_data: [5, "INT32", "repeated"],
    string_data: [6, "BYTES", "repeated"],
    int64_data: [7, "INT64", "repeated"],
    raw_data: [9, "BYTES"],
    double_data: [10, "DOUBLE", "repeated"],
  },
  ValueInfoProto: { name: [1, "STRING"], type: [2, ".onnx.TypeProto"] },
  TypeProto: {
    tensor_type: [1, ".onnx.TensorTypeProto"],
    sequence_type: [4, ".onnx.SequenceTypeProto"],
  },
  // In onnx.proto these lie within other messages, which does not show in the bytes.
  SequenceTypeProto: { elem_type: [1, ".onnx.TypeProto"] },
  TensorTypeProto: { elem_type: [1, "INT32"], shape: [2, ".onnx.TensorShapeProto"] },
  TensorShapeProto: { dim: [1, ".onnx.DimensionProto", "repeated"] },
  DimensionProto: { dim_value: [1, "INT64"], dim_param: [2, "STRING"] },
};

const file = create(FileDescriptorProtoSchema, {
  name: "onnx.proto",
  package: "onnx",
  syntax: "proto2",
  messageType: Object.entries(MESSAGES).map(([name, fields]) => ({
    name,
    field: Object.entries(fields).map(([field, [number, type, repeated]]) => ({
      name: field,
      number,
      label: repeated ? Label.REPEATED : Label.OPTIONAL,
      ...(type.startsWith(".")
        ? { type: Type.MESSAGE, typeName: type }
        : { type: Type[type as keyof typeof Type] }),
    })),
  })),
});

const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));

/** How a message of onnx.proto lies in bytes. */
export function messageOf(name: string): DescMessage {
  const found = registry.getMessage(`onnx.${name}`);
  if (!found) throw new Error(`onnx.proto has no ${name} here`);
  return found;
}
