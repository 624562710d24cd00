import { checkBody, invalidInput, NearcastError } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import { elementCount, type TensorData, type Tensors } from "../../tensor.ts";
import { fromBinary, textOf } from "../../wire/binary-tensor.ts";
import { fromJsonData } from "../../wire/json-tensor.ts";
import { parseJson } from "../../wire/json.ts";
import { flatElements, type Fill } from "../../wire/nested.ts";
import { inferRequest, type RequestBody } from "./schema.ts";
import { createBinaryReader, define, elements, tensorsOf } from "./tensors.ts";

type RequestInput = RequestBody["inputs"][number];

export interface InferRequest {
  id?: string | undefined;
  feeds: Tensors;
  outputNames: readonly string[];
  /** Whether the output goes into the binary part of the answer. */
  isBinary: (output: string) => boolean;
}

interface ReadOptions {
  /** Replaces each null of the JSON. */
  fill?: Fill | undefined;
  /** Most rows. */
  batch?: number | undefined;
  /** The body is left as it is: it may be forwarded. */
  keepsBody?: boolean | undefined;
}

/**
 * Reads an Open Inference Protocol request. `jsonLength` is the value of `Inference-Header-Content-Length`: the bytes
 * of JSON before the binary tensors. Without it, the whole body is JSON; with 0, none of it. Throws
 * `malformed_request`, `malformed_json` or `invalid_input`.
 */
export function readInferRequest(
  body: Uint8Array,
  jsonLength: string | undefined,
  manifest: Manifest,
  options: ReadOptions = {},
): InferRequest {
  const length = jsonLength === undefined ? body.byteLength : lengthOfJson(jsonLength, body);
  if (length === 0 && jsonLength !== undefined) return readRawBody(body, manifest);
  const exact = manifest.inputs.some(({ datatype }) => datatype.endsWith("INT64"));
  const request = checkBody(inferRequest, parseJson(body.subarray(0, length), { exact }));
  checkModel(request, manifest);
  const outputs = new Map(
    request.outputs?.map((output) => [output.name, output.parameters?.binary_data] as const),
  );
  const allBinary = request.parameters?.binary_data_output ?? false;
  return {
    id: request.id ?? undefined,
    feeds: readTensors(request.inputs, body.subarray(length), {
      ...options,
      begin: options.keepsBody ? undefined : body.byteOffset,
      manifest,
    }),
    outputNames: [...outputs.keys()],
    isBinary: (output) => outputs.get(output) ?? allBinary,
  };
}

/** Refuses a body that names another model than its path: it was meant for that model. */
function checkModel(request: RequestBody, { name, version }: Manifest): void {
  for (const [path, given, here] of [
    ["model_name", request.model_name, name],
    ["model_version", request.model_version, version],
  ] as const)
    if (given && given !== here)
      throw invalidInput([{ path, message: `is ${given}, but ${here} is asked at this path` }]);
}

function lengthOfJson(header: string, body: Uint8Array): number {
  const length = /^\d+$/.test(header) ? Number(header) : Infinity;
  if (length > body.byteLength)
    throw new NearcastError(
      "malformed_request",
      `Inference-Header-Content-Length is ${header}, the body has ${body.byteLength} bytes.`,
    );
  return length;
}

/** The bytes from `begin` on, before `binary`, were read already and may be overwritten. */
function readTensors(
  inputs: readonly RequestInput[],
  binary: Uint8Array,
  { begin, manifest, fill, batch }: ReadOptions & { begin: number | undefined; manifest: Manifest },
): Tensors {
  const readBinary = createBinaryReader(begin);
  let offset = 0;
  const tensors = tensorsOf(inputs, { manifest, batch }, (input, path) => {
    const size = input.parameters?.binary_data_size ?? undefined;
    if ((size === undefined) === (input.data === undefined || input.data === null))
      throw invalidInput([{ path, message: "needs either data or parameters.binary_data_size" }]);
    if (size === undefined)
      return () => fromJsonData(input.datatype, jsonElements(input, path, fill));
    if (offset + size > binary.byteLength)
      throw new NearcastError(
        "malformed_request",
        `${path} has binary_data_size ${size}, but the body ends after ${binary.byteLength - offset} bytes.`,
      );
    const bytes = binary.subarray(offset, (offset += size));
    return (count) => readBinary(input.datatype, bytes, count);
  });
  if (offset !== binary.byteLength)
    throw new NearcastError(
      "malformed_request",
      `${binary.byteLength - offset} bytes after the last binary tensor belong to no input.`,
    );
  return tensors;
}

function jsonElements(
  { name, data, shape }: RequestInput,
  path: string,
  fill: Fill = (_, values) => values,
): readonly unknown[] {
  const flat = flatElements(data, shape);
  const count = elementCount(shape);
  if (flat.length > count)
    throw new RangeError(
      `has ${flat.length} elements, its shape [${shape.join(", ")}] holds ${count}`,
    );
  return fill(name, flat, path);
}

/** Reads a body that is only the data of the single input. Its length gives a free dimension. */
function readRawBody(body: Uint8Array, manifest: Manifest): InferRequest {
  const [input, ...others] = manifest.inputs;
  if (!input || others.length > 0)
    throw invalidInput([
      { path: "body", message: `must be JSON: ${manifest.name} has more than one input` },
    ]);
  const path = `inputs.${input.name}`;
  const data: TensorData = elements(path, () =>
    input.datatype === "BYTES" ? [textOf(body)] : fromBinary(input.datatype, body),
  );
  const shape = shapeFor(input.shape, data.length);
  if (!shape)
    throw invalidInput([
      {
        path,
        message: `has ${data.length} elements, which do not fill [${input.shape.join(", ")}]`,
      },
    ]);
  const tensors: Tensors = {};
  define(tensors, input.name, { datatype: input.datatype, shape, data });
  return { feeds: tensors, outputNames: [], isBinary: () => false };
}

/** Gives the first free dimension all elements, and other free dimensions 1. Undefined when the count does not fit. */
function shapeFor(shape: readonly number[], count: number): readonly number[] | undefined {
  const known = elementCount(shape.filter((size) => size !== -1));
  const free = shape.indexOf(-1);
  if (free === -1 ? known !== count : known === 0 || count % known !== 0) return undefined;
  return shape.map((size, axis) => (size !== -1 ? size : axis === free ? count / known : 1));
}
