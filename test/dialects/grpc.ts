import type { MessageInitShape } from "@bufbuild/protobuf";
import { createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import {
  GRPCInferenceService,
  type ModelInferRequestSchema,
} from "../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import type { Datatype } from "../../functions/tensor.ts";
import type { Target } from "../harness/targets.ts";

export type InferenceClient = Client<typeof GRPCInferenceService>;
export type InferInit = MessageInitShape<typeof ModelInferRequestSchema>;

/** The ways over plain HTTP, each as a client of connect-web on the target. */
export const WAYS = ["Connect", "Connect in JSON", "gRPC-Web"] as const;

export function clientOf(
  target: Pick<Target, "fetch">,
  way: (typeof WAYS)[number],
): InferenceClient {
  const options = {
    baseUrl: "http://localhost",
    useBinaryFormat: way !== "Connect in JSON",
    fetch: ((url: string, init: RequestInit) =>
      target.fetch(new URL(url).pathname, plain(init))) as typeof fetch,
  };
  const transport =
    way === "gRPC-Web" ? createGrpcWebTransport(options) : createConnectTransport(options);
  return createClient(GRPCInferenceService, transport);
}

/** Lambda's emulator takes a body whole, and no signal. */
function plain({ method, headers, body }: RequestInit): RequestInit {
  return { ...(method && { method }), ...(headers && { headers }), ...(body && { body }) };
}

/** One input in the binary form. */
export interface RawInput {
  name: string;
  datatype: Datatype;
  shape: readonly number[];
  bytes: Uint8Array;
}

/** The same request for gRPC. */
export function rawRequest(modelName: string, inputs: readonly RawInput[], id = ""): InferInit {
  return {
    modelName,
    id,
    inputs: inputs.map(({ name, datatype, shape }) => ({
      name,
      datatype,
      shape: shape.map(BigInt),
    })),
    rawInputContents: inputs.map(({ bytes }) => bytes),
  };
}

/** The binary outputs that the same request over HTTP gets, with their names and shapes. */
export async function overRest(
  { fetch }: Pick<Target, "fetch">,
  model: string,
  inputs: readonly RawInput[],
) {
  const head = Buffer.from(
    JSON.stringify({
      parameters: { binary_data_output: true },
      inputs: inputs.map(({ name, datatype, shape, bytes }) => ({
        name,
        datatype,
        shape,
        parameters: { binary_data_size: bytes.byteLength },
      })),
    }),
  );
  const response = await fetch(`/v2/models/${model}/infer`, {
    method: "POST",
    headers: { "Inference-Header-Content-Length": String(head.length) },
    body: Buffer.concat([head, ...inputs.map(({ bytes }) => bytes)]),
  });
  const body = Buffer.from(await response.arrayBuffer());
  let offset = Number(response.headers.get("inference-header-content-length"));
  const { outputs } = JSON.parse(body.subarray(0, offset).toString()) as {
    outputs: {
      name: string;
      datatype: string;
      shape: number[];
      parameters: { binary_data_size: number };
    }[];
  };
  return outputs.map(({ name, datatype, shape, parameters }) => ({
    name,
    datatype,
    shape,
    bytes: body.toString("hex", offset, (offset += parameters.binary_data_size)),
  }));
}

/** What gRPC answers, in the same form. */
export async function overGrpc(client: InferenceClient, request: InferInit) {
  const { outputs, rawOutputContents } = await client.modelInfer(request);
  return outputs.map(({ name, datatype, shape }, index) => ({
    name,
    datatype,
    shape: shape.map(Number),
    bytes: Buffer.from(rawOutputContents[index] ?? []).toString("hex"),
  }));
}
