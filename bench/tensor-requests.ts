// The tensors for the Open Inference Protocol: float32 values of the size of an image, and many iris rows.
import { create, toBinary } from "@bufbuild/protobuf";
import { ModelInferRequestSchema } from "../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import { elementCount } from "../functions/tensor.ts";
import { createWorkload, type Workload } from "./workload.ts";

export type TensorCase = "image" | "iris";
/** `message` is a ModelInferRequest, as Connect and gRPC send it. */
export type TensorFormat = "json" | "binary" | "raw" | "message";

export interface TensorRequests {
  tensors: TensorCase;
  format: TensorFormat;
}

export interface TensorWorkload {
  input: string;
  output: string;
  shape: number[];
  artifact: string;
  /** All different. */
  tensors: Float32Array[];
}

export const ROWS = 1000;
const REQUESTS = 8;
const IMAGE = "test/fixtures/identity/image/1/model.onnx";

export async function tensorWorkload(name: TensorCase): Promise<TensorWorkload> {
  if (name === "image") {
    const shape = [1, 3, 224, 224];
    const tensors = Array.from({ length: REQUESTS }, (_image, seed) =>
      Float32Array.from({ length: elementCount(shape) }, (_value, pixel) => Math.sin(pixel + seed)),
    );
    return { input: "x", output: "y", shape, artifact: IMAGE, tensors };
  }
  const { artifact, feeds, outputNames } = await createWorkload({ model: "iris", rows: ROWS });
  return {
    input: "features",
    output: outputNames[0] ?? "",
    shape: [ROWS, 4],
    artifact,
    tensors: feeds.slice(0, REQUESTS).map((feed) => feed["features"]?.data as Float32Array),
  };
}

/** The same tensors for `session.run`. */
export async function tensorFeeds(
  name: TensorCase,
): Promise<Pick<Workload, "artifact" | "feeds" | "outputNames">> {
  const { artifact, input, output, shape, tensors } = await tensorWorkload(name);
  const feeds = tensors.map((data) => ({ [input]: { datatype: "FP32" as const, shape, data } }));
  return { artifact, feeds, outputNames: [output] };
}

/** The body: JSON with numbers, JSON followed by the tensor, or (for the least server) the tensor alone. */
export async function tensorBodies({ tensors: name, format }: TensorRequests) {
  const { input, shape, tensors } = await tensorWorkload(name);
  if (format === "raw")
    return { headers: { "content-type": "application/octet-stream" }, bodies: tensors.map(bytes) };
  if (format === "message")
    return {
      headers: { "content-type": "application/proto" },
      bodies: tensors.map((tensor) => messageOf({ name, input, shape, tensor })),
    };
  const described = { name: input, datatype: "FP32", shape };
  if (format === "json")
    return {
      headers: { "content-type": "application/json" },
      bodies: tensors.map((tensor) => {
        // FP32 needs few digits. Those of a double would only make the bodies longer.
        const data = Array.from(tensor, (value) => Number(value.toPrecision(8)));
        return Buffer.from(JSON.stringify({ inputs: [{ ...described, data }] }));
      }),
    };
  const json = (size: number) =>
    JSON.stringify({
      inputs: [{ ...described, parameters: { binary_data_size: size } }],
      parameters: { binary_data_output: true },
    });
  const head = Buffer.from(json(tensors[0]?.byteLength ?? 0));
  return {
    headers: {
      "content-type": "application/octet-stream",
      "inference-header-content-length": String(head.length),
    },
    bodies: tensors.map((tensor) => Buffer.concat([head, bytes(tensor)])),
  };
}

function messageOf(given: { name: string; input: string; shape: number[]; tensor: Float32Array }) {
  const { name, input, shape, tensor } = given;
  const message = create(ModelInferRequestSchema, {
    modelName: name,
    inputs: [{ name: input, datatype: "FP32", shape: shape.map(BigInt) }],
    rawInputContents: [bytes(tensor)],
  });
  return Buffer.from(toBinary(ModelInferRequestSchema, message));
}

function bytes({ buffer, byteOffset, byteLength }: Float32Array): Buffer<ArrayBuffer> {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
