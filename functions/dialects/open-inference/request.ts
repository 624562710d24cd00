import * as z from "zod";
import { invalidBody, invalidInput, NearcastError } from "../../errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import {
  datatypeNames,
  elementCount,
  type Tensor,
  type TensorData,
  type Tensors,
} from "../../tensor.ts";
import { fromBinary, textOf } from "../../wire/binary-tensor.ts";
import { fromJsonData } from "../../wire/json-tensor.ts";
import { parseJson } from "../../wire/json.ts";
import { flatElements, type Fill } from "../../wire/nested.ts";

const binarySize = z.number().int().nonnegative();

/** Parameters that would change the answer, and that this service does not know. All others are hints. */
const REFUSED = ["shared_memory_region", "classification", "sequence_id"] as const;

const parameters = z
  .looseObject({
    binary_data_size: binarySize.optional(),
    binary_data: z.boolean().optional(),
    binary_data_output: z.boolean().optional(),
  })
  .refine((given) => !REFUSED.some((name) => given[name]), {
    error: `${REFUSED.join(", ")} are not supported`,
  })
  .optional();

export const inferRequest = z.strictObject({
  id: z.string().optional(),
  parameters,
  inputs: z
    .array(
      z.strictObject({
        name: z.string(),
        shape: z.array(z.number().int().nonnegative()),
        datatype: z.enum(datatypeNames),
        parameters,
        data: z.unknown().optional(),
      }),
    )
    .min(1),
  outputs: z.array(z.strictObject({ name: z.string(), parameters })).optional(),
});

type Request = z.infer<typeof inferRequest>;
type RequestInput = Request["inputs"][number];

export interface InferRequest {
  id?: string | undefined;
  feeds: Tensors;
  outputNames: readonly string[];
  /** Whether an output goes into the binary part of the answer. */
  isBinary: (output: string) => boolean;
}

/**
 * Reads an Open Inference Protocol request. `jsonLength` is the value of `Inference-Header-Content-Length`: the
 * bytes of JSON before the binary tensors. Without it the whole body is JSON, with 0 nothing is. `fill` replaces
 * the null in JSON. Throws `malformed_request`, `malformed_json` or `invalid_input`.
 */
export function readInferRequest(
  body: Uint8Array,
  jsonLength: string | undefined,
  manifest: Manifest,
  fill: Fill = (_, values) => values,
): InferRequest {
  const length = jsonLength === undefined ? body.byteLength : lengthOfJson(jsonLength, body);
  if (length === 0 && jsonLength !== undefined) return readRawBody(body, manifest);
  const exact = manifest.inputs.some(({ datatype }) => datatype.endsWith("INT64"));
  const parsed = inferRequest.safeParse(parseJson(body.subarray(0, length), { exact }));
  if (!parsed.success) throw invalidBody(parsed.error);
  const request = parsed.data;
  const outputs = new Map(
    request.outputs?.map((output) => [output.name, output.parameters?.binary_data] as const),
  );
  const allBinary = request.parameters?.binary_data_output ?? false;
  return {
    id: request.id,
    feeds: readTensors(request.inputs, fill, body.subarray(length), length),
    outputNames: [...outputs.keys()],
    isBinary: (output) => outputs.get(output) ?? allBinary,
  };
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

/** The `spare` bytes before `binary` were read already. They may be overwritten. */
function readTensors(
  inputs: readonly RequestInput[],
  fill: Fill,
  binary: Uint8Array,
  spare: number,
): Tensors {
  const tensors: Tensors = {};
  let offset = 0;
  // Where, in the body's memory, the tensors so far end.
  let used = binary.byteOffset - spare;
  for (const input of inputs) {
    const path = `inputs.${input.name}`;
    if (Object.hasOwn(tensors, input.name))
      throw invalidInput([{ path, message: "is given twice" }]);
    const size = input.parameters?.binary_data_size;
    if ((size === undefined) === (input.data === undefined))
      throw invalidInput([{ path, message: "needs either data or parameters.binary_data_size" }]);
    if (size !== undefined && offset + size > binary.byteLength)
      throw new NearcastError(
        "malformed_request",
        `${path} has binary_data_size ${size}, but the body ends after ${binary.byteLength - offset} bytes.`,
      );
    const data = elements(path, () => {
      if (size === undefined) {
        const values = fill(input.name, flatElements(input.data, input.shape), path);
        return fromJsonData(input.datatype, values);
      }
      const bytes = binary.subarray(offset, offset + size);
      return fromBinary(input.datatype, bytes, bytes.byteOffset - used);
    });
    if (ArrayBuffer.isView(data) && data.buffer === binary.buffer)
      used = data.byteOffset + data.byteLength;
    offset += size ?? 0;
    define(tensors, input.name, { datatype: input.datatype, shape: input.shape, data });
  }
  if (offset !== binary.byteLength)
    throw new NearcastError(
      "malformed_request",
      `${binary.byteLength - offset} bytes after the last binary tensor belong to no input.`,
    );
  return tensors;
}

/** The whole body is the data of the only input. Its length decides a free dimension. */
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

/** The first free dimension takes all elements, others are 1. Undefined when that does not come out even. */
function shapeFor(shape: readonly number[], count: number): readonly number[] | undefined {
  const known = elementCount(shape.filter((size) => size !== -1));
  const free = shape.indexOf(-1);
  if (free === -1 ? known !== count : known === 0 || count % known !== 0) return undefined;
  return shape.map((size, axis) => (size !== -1 ? size : axis === free ? count / known : 1));
}

function elements<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalidInput([{ path, message: error.message }]);
  }
}

/** Sets an own property, whatever its name: a client may call a tensor `__proto__`. */
function define(tensors: Tensors, name: string, tensor: Tensor): void {
  Object.defineProperty(tensors, name, { value: tensor, enumerable: true });
}
