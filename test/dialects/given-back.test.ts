import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { createApp } from "../../functions/app.ts";
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
} from "../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import { createNodePlatform } from "../../functions/platform/node.ts";
import { createService } from "../../functions/service.ts";
import type { Tensors } from "../../functions/tensor.ts";

const STORE = join(import.meta.dirname, "../fixtures/identity");
const SHAPE = [1, 3, 224, 224];
const COUNT = 3 * 224 * 224;

const bytesOf = (seed: number) =>
  Buffer.from(Float32Array.from({ length: COUNT }, (_, index) => index + seed).buffer);

/** Asks for the same numbers, and returns the bytes of the answer's tensor. */
const ways = {
  async "Open Inference in binary"(app: App, numbers: Buffer): Promise<Uint8Array> {
    const json = JSON.stringify({
      inputs: [
        {
          name: "x",
          datatype: "FP32",
          shape: SHAPE,
          parameters: { binary_data_size: numbers.byteLength },
        },
      ],
      parameters: { binary_data_output: true },
    });
    const answer = await app.request("/v2/models/image/infer", {
      method: "POST",
      headers: {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": String(json.length),
      },
      body: Buffer.concat([Buffer.from(json), numbers]),
    });
    const head = Number(answer.headers.get("Inference-Header-Content-Length"));
    return new Uint8Array(await answer.arrayBuffer()).subarray(head);
  },
  async "Open Inference in JSON"(app: App, numbers: Buffer): Promise<Uint8Array> {
    const data = [...new Float32Array(numbers.buffer)];
    const answer = await app.request("/v2/models/image/infer", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape: SHAPE, data }] }),
    });
    const { outputs } = (await answer.json()) as { outputs: [{ data: number[] }] };
    return Buffer.from(Float32Array.from(outputs[0].data).buffer);
  },
  async Connect(app: App, numbers: Buffer): Promise<Uint8Array> {
    const inputs = [{ name: "x", datatype: "FP32", shape: SHAPE.map(BigInt) }];
    const asked = create(ModelInferRequestSchema, {
      modelName: "image",
      inputs,
      rawInputContents: [numbers],
    });
    const answer = await app.request("/inference.GRPCInferenceService/ModelInfer", {
      method: "POST",
      headers: { "Content-Type": "application/proto" },
      body: toBinary(ModelInferRequestSchema, asked),
    });
    const message = new Uint8Array(await answer.arrayBuffer());
    return fromBinary(ModelInferResponseSchema, message).rawOutputContents[0] ?? new Uint8Array();
  },
};

type App = ReturnType<typeof createApp>;

/** An app, and the views of all numbers that its runs took and made. */
function open(env: Record<string, string> = {}) {
  const platform = createNodePlatform({ STORE, AUTH: "none", ACCESS_LOG: "false", ...env });
  const service = createService(platform);
  const seen: ArrayBufferView[] = [];
  const see = (tensors: Tensors) => {
    for (const { data } of Object.values(tensors)) if (!Array.isArray(data)) seen.push(data);
  };
  async function infer(call: Parameters<typeof service.infer>[0]) {
    const made = await service.infer(call);
    made.runs.forEach(({ feeds }) => see(feeds));
    made.results.forEach(see);
    return made;
  }
  return { app: createApp({ ...service, infer }), seen };
}

test.each(Object.entries(ways))(
  "%s: the memory of inputs and outputs is given back with the answer",
  async (_way, ask) => {
    const { app, seen } = open();
    for (const seed of [1, 2])
      expect(Buffer.compare(await ask(app, bytesOf(seed)), bytesOf(seed))).toBe(0);
    expect(seen.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0, 0]);
  },
);

test.each(Object.entries(ways))("%s: what is kept for others stays", async (_way, ask) => {
  const { app, seen } = open({ PREDICTION_CACHE_TTL_SECONDS: "60" });
  for (const seed of [1, 2, 1, 2, 1])
    expect(Buffer.compare(await ask(app, bytesOf(seed)), bytesOf(seed))).toBe(0);
  expect(seen.some(({ byteLength }) => byteLength === 0)).toBe(false);
});
