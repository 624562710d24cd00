import { fromBinary, type JsonValue } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { concatenate } from "../../../concatenate.ts";
import { checkBody, invalidInput, NearcastError } from "../../../errors.ts";
import type { Manifest } from "../../../model/manifest.ts";
import type { Tensors } from "../../../tensor.ts";
import { inferRequest } from "../schema.ts";
import { createBinaryReader, tensorsOf } from "../tensors.ts";
import { contentsOf, readContents } from "./contents.ts";
import {
  UnreadInferRequestSchema,
  type InferParameter,
  type ModelInferRequest,
  type UnreadInferRequest,
} from "./open_inference_pb.ts";

/** A request as bytes, or one that was read from JSON. */
export type InferMessage = UnreadInferRequest | ModelInferRequest;

/** Fields, dimensions and tensors of one message. Each takes two bytes or more there, and about a hundred in memory. */
const MOST_PARTS = 65_536;
const NO_ELEMENTS = new Uint8Array(0);

/**
 * Reads the bytes of a ModelInferRequest, but not the elements of its tensors. Throws `malformed_request` for one with
 * more than {@link MOST_PARTS} parts, and another Error for bytes that are no such message.
 */
export function readInferMessage(bytes: Uint8Array): UnreadInferRequest {
  const parts = partsOf(bytes, (field, inner) =>
    field === 5 || field === 6 ? partsOf(inner, (own, list) => (own === 3 ? list.length : 0)) : 0,
  );
  checkParts(parts);
  return fromBinary(UnreadInferRequestSchema, bytes, { readUnknownFields: false });
}

/** Throws `malformed_request` for the JSON of a ModelInferRequest with more than {@link MOST_PARTS} parts. */
export function checkInferJson(json: JsonValue): void {
  const inputs = (json as { inputs?: unknown } | null)?.inputs;
  if (!Array.isArray(inputs)) return;
  const dimensions = (inputs as { shape?: unknown }[]).map((input) =>
    Array.isArray(input?.shape) ? input.shape.length : 0,
  );
  checkParts(inputs.length + dimensions.reduce((sum, count) => sum + count, 0));
}

function checkParts(parts: number): void {
  if (parts > MOST_PARTS)
    throw new NearcastError(
      "malformed_request",
      `The message has ${parts} fields, tensors and dimensions: at most ${MOST_PARTS} are read.`,
    );
}

/** How many fields a message has, with what `inside` counts in those that have bytes. */
function partsOf(bytes: Uint8Array, inside: (field: number, bytes: Uint8Array) => number): number {
  const reader = new BinaryReader(bytes);
  let parts = 0;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    parts += 1;
    if (type === WireType.LengthDelimited) parts += inside(field, reader.bytes());
    else reader.skip(type, field);
  }
  return parts;
}

/**
 * The tensors of a message, and the outputs that it asks for. Throws `invalid_input` with the paths and messages of the
 * protocol over HTTP. `begin` is where the message begins in its memory: tensors may be moved over what was read. Undefined where they must not.
 */
export function readInference(
  { parameters, inputs, outputs, rawInputContents: raw }: InferMessage,
  {
    manifest,
    batch,
    begin,
  }: { manifest: Manifest; batch?: number | undefined; begin: number | undefined },
): { feeds: Tensors; outputNames: string[] } {
  const parsed = checkBody(inferRequest, {
    parameters: plainParameters(parameters),
    inputs: inputs.map(({ name, datatype, shape, parameters }) => ({
      name,
      datatype,
      shape: shape.map(Number),
      parameters: plainParameters(parameters),
    })),
    outputs: outputs.map(({ name, parameters }) => ({
      name,
      parameters: plainParameters(parameters),
    })),
  });
  if (raw.length > 0 && raw.length !== inputs.length)
    throw invalidInput([
      {
        path: "raw_input_contents",
        message: `must have one element for each of the ${inputs.length} inputs, has ${raw.length}`,
      },
    ]);
  const readBinary = createBinaryReader(begin);
  const feeds = tensorsOf(parsed.inputs, { manifest, batch }, ({ datatype }, path, index) => {
    const [bytes, contents] = [raw[index], inputs[index]?.contents];
    const parts = Array.isArray(contents) ? contents : undefined;
    if (bytes && contents && parts?.length !== 0)
      throw invalidInput([{ path, message: "has contents, and raw_input_contents are given too" }]);
    return (most) => {
      if (bytes) return readBinary(datatype, bytes, most);
      if (contents && !Array.isArray(contents)) return contentsOf(contents, datatype);
      return readContents(joined(parts), datatype, most);
    };
  });
  return { feeds, outputNames: outputs.map(({ name }) => name) };
}

function joined(parts: readonly Uint8Array[] = []): Uint8Array {
  return parts.length < 2 ? (parts[0] ?? NO_ELEMENTS) : concatenate(parts);
}

/** Parameters as JSON has them over HTTP. */
function plainParameters(parameters: Record<string, InferParameter>): Record<string, unknown> {
  const plain = Object.entries(parameters).map(
    ([
      name,
      {
        parameterChoice: { value },
      },
    ]) => {
      const isSafe = typeof value === "bigint" && Number.isSafeInteger(Number(value));
      return [name, isSafe ? Number(value) : typeof value === "bigint" ? String(value) : value];
    },
  );
  return Object.fromEntries(plain) as Record<string, unknown>;
}
