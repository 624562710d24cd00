import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Manifest } from "../../../model/manifest.ts";
import type { Tensor, Tensors } from "../../../tensor.ts";
import { toBinary } from "../../../wire/binary-tensor.ts";
import { hasContents, writeContents } from "./contents.ts";

interface InferAnswer {
  manifest: Manifest;
  id: string;
  tensors: Tensors;
  /** Whether the tensors are to be in the binary form. FP16 has no other. */
  raw: boolean;
}

/**
 * The bytes of a ModelInferResponse, in parts. Tensors in the binary form are parts of their own, not copied: the generated
 * code would copy them twice.
 */
export function writeInferResponse(answer: InferAnswer): Uint8Array[] {
  const { manifest, id, tensors, raw } = answer;
  const all = Object.entries(tensors);
  const isRaw = raw || all.some(([, { datatype }]) => !hasContents(datatype));
  const writer = new BinaryWriter();
  const text = (field: number, value: string) =>
    value === "" ? writer : writer.tag(field, WireType.LengthDelimited).string(value);
  text(1, manifest.name);
  text(2, manifest.version);
  text(3, id);
  for (const [name, tensor] of all) {
    writer.tag(5, WireType.LengthDelimited).fork();
    text(1, name);
    text(2, tensor.datatype);
    writeShape(writer, tensor);
    if (!isRaw) writer.tag(5, WireType.LengthDelimited).bytes(writeContents(tensor));
    writer.join();
  }
  const parts: Uint8Array[] = [writer.finish()];
  if (isRaw)
    for (const [, tensor] of all) {
      const bytes = toBinary(tensor);
      parts.push(writer.tag(6, WireType.LengthDelimited).uint32(bytes.byteLength).finish(), bytes);
    }
  return parts;
}

function writeShape(writer: BinaryWriter, { shape }: Tensor): void {
  if (shape.length === 0) return;
  writer.tag(3, WireType.LengthDelimited).fork();
  for (const dimension of shape) writer.int64(dimension);
  writer.join();
}
