import { gzipSync } from "node:zlib";
import { create, fromBinary as fromMessage, toBinary as toMessage } from "@bufbuild/protobuf";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  BadRequestSchema,
  ErrorInfoSchema,
} from "../../functions/dialects/open-inference/grpc/error_details_pb.ts";
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
} from "../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import { DATATYPES, datatypeNames, type Datatype } from "../../functions/tensor.ts";
import { fromBinary, toBinary } from "../../functions/wire/binary-tensor.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import { shippedModels } from "../harness/models.ts";
import type { Target } from "../harness/targets.ts";
import {
  clientOf,
  overGrpc,
  overRest,
  rawRequest,
  WAYS,
  type InferInit,
  type RawInput,
} from "./grpc.ts";
import { PLATFORMS } from "./platforms.ts";

const FLOWER = new Float32Array([5.1, 3.5, 1.4, 0.2]);
const flower: RawInput = {
  name: "features",
  datatype: "FP32",
  shape: [1, 4],
  bytes: new Uint8Array(FLOWER.buffer),
};
const SERVICE = "/inference.GRPCInferenceService";

describe.each(inThisFile(PLATFORMS))("on %s", (_name, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  const send = (method: string, body: Uint8Array | string, headers: Record<string, string> = {}) =>
    server.fetch(`${SERVICE}/${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/proto", ...headers },
      body: body as BodyInit,
    });
  const refused = async (request: object) => {
    const error = await clientOf(server, "Connect")
      .modelInfer(request as never)
      .catch((error: unknown) => ConnectError.from(error));
    if (!(error instanceof ConnectError)) throw new Error("It was answered.");
    return error;
  };

  test.each(WAYS)("%s: live, ready, metadata, repository", async (way) => {
    const client = clientOf(server, way);
    expect((await client.serverLive({})).live).toBe(true);
    expect((await client.serverReady({})).ready).toBe(true);
    expect(await client.serverMetadata({})).toMatchObject({ name: "nearcast" });
    expect((await client.modelReady({ name: "iris", version: "1" })).ready).toBe(true);
    expect(await client.modelMetadata({ name: "iris" })).toMatchObject({
      name: "iris",
      versions: ["1"],
      platform: "onnx_onnxv1",
      inputs: [{ name: "features", datatype: "FP32", shape: [-1n, 4n] }],
      outputs: [{ name: "probabilities", datatype: "FP32", shape: [-1n, 3n] }],
    });
    const { models } = await client.repositoryIndex({ ready: true });
    expect(models).toContainEqual(
      expect.objectContaining({ name: "iris", version: "1", state: "READY", reason: "" }),
    );
    expect(await client.repositoryModelLoad({ modelName: "iris" })).toMatchObject({
      isLoaded: true,
    });
    // KServe's client has the name in the first field.
    expect(await client.repositoryModelUnload({ firstName: "iris" })).toMatchObject({
      modelName: "iris",
      isUnloaded: true,
    });
  });

  test.each(shippedModels.map(({ manifest }) => [manifest.name, manifest] as const))(
    "%s answers with the bytes that it answers over REST",
    async (name, manifest) => {
      const inputs = manifest.inputs.map(({ name, datatype, shape }) =>
        filled(
          name,
          datatype,
          shape.map((size) => (size === -1 ? 3 : size)),
        ),
      );
      const expected = await overRest(server, name, inputs);
      expect(expected[0]?.bytes.length).toBeGreaterThan(0);
      for (const way of WAYS)
        expect(await overGrpc(clientOf(server, way), rawRequest(name, inputs))).toEqual(expected);
    },
  );

  test.each(datatypeNames)("%s, raw and typed, has the bytes of REST", async (datatype) => {
    const input = filled("x", datatype, [1, 3, 1]);
    const model = datatype.toLowerCase();
    const expected = await overRest(server, model, [input]);
    expect(expected[0]?.bytes).toBe(Buffer.from(input.bytes).toString("hex"));
    for (const way of WAYS) {
      const client = clientOf(server, way);
      expect(await overGrpc(client, rawRequest(model, [input]))).toEqual(expected);
      if (datatype === "FP16") continue;
      const contents = typed(input);
      const answer = await client.modelInfer({
        modelName: model,
        inputs: [{ name: "x", datatype, shape: [1n, 3n, 1n], contents }],
      });
      expect(answer.rawOutputContents).toEqual([]);
      expect(answer.outputs[0]?.contents).toMatchObject(contents);
    }
  });

  test("an answer says whose it is, and the id is echoed", async () => {
    let headers = new Headers();
    const client = clientOf(server, "Connect");
    const answer = await client.modelInfer(rawRequest("iris", [flower], "seven"), {
      headers: { "X-Request-Id": "abc", traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
      onHeader: (given) => (headers = given),
    });
    expect(answer).toMatchObject({ id: "seven", modelName: "iris", modelVersion: "1" });
    expect(headers.get("x-request-id")).toBe("abc");
    expect(headers.get("traceparent")).toContain("a".repeat(32));
    expect(headers.get("x-model-version")).toBe("1");
  });

  test("errors have gRPC's code, the service's message, and what is wrong", async () => {
    const unknown = await refused(rawRequest("nothing", [flower]));
    expect(unknown).toMatchObject({
      code: Code.NotFound,
      rawMessage: 'There is no model "nothing".',
    });
    const [info] = unknown.findDetails(ErrorInfoSchema);
    expect(info).toMatchObject({ reason: "UNKNOWN_MODEL", domain: "nearcast" });
    const wrong = await refused(rawRequest("iris", [{ ...flower, shape: [1, 3] }]));
    expect(wrong.code).toBe(Code.InvalidArgument);
    expect(wrong.findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field).toBe(
      "inputs.features",
    );
    for (const way of WAYS) {
      const call = clientOf(server, way).modelReady({ name: "iris", version: "9" });
      await expect(call).rejects.toMatchObject({ code: Code.NotFound });
    }
  });

  test.each<[string, Partial<RawInput>, Partial<InferInit>?]>([
    ["cut off", { bytes: flower.bytes.subarray(0, 15) }],
    ["too long", { bytes: new Uint8Array(20) }],
    ["of an unknown datatype", { datatype: "FP8" as Datatype }],
    ["of another datatype", { datatype: "INT32" }],
    ["of a huge shape", { shape: [2 ** 40, 4] }],
    ["of a negative shape", { shape: [-1, 4] }],
    ["of a shape beyond what numbers hold", { shape: [2 ** 62, 4] }],
    ["of many dimensions", { shape: Array.from({ length: 65 }, () => 1) }],
    ["without its bytes", {}, { rawInputContents: [] }],
    ["with bytes for another input too", {}, { rawInputContents: [flower.bytes, flower.bytes] }],
    [
      "with a text that never ends",
      { ...filled("x", "BYTES", [1]), bytes: new Uint8Array([255, 255, 255, 255, 1]) },
    ],
  ])("a tensor %s is refused", async (_what, input, more = {}) => {
    const error = await refused({ ...rawRequest("iris", [{ ...flower, ...input }]), ...more });
    expect(error.code).toBe(Code.InvalidArgument);
    expect(await overGrpc(clientOf(server, "Connect"), rawRequest("iris", [flower]))).toHaveLength(
      1,
    );
  });

  test.each<[string, Datatype, object]>([
    ["a number that the datatype cannot hold", "INT8", { intContents: [1, 2, 300] }],
    ["more elements than the shape", "INT64", { int64Contents: [1n, 2n, 3n, 4n] }],
    ["fewer elements than the shape", "UINT16", { uintContents: [1, 2] }],
    ["no elements", "FP32", {}],
    ["elements of another datatype", "FP32", { fp64Contents: [1, 2, 3] }],
    ["FP16, which has no field", "FP16", { fp32Contents: [1, 2, 3] }],
    [
      "a text with NUL",
      "BYTES",
      { bytesContents: ["a", "b", "\0"].map((text) => Buffer.from(text)) },
    ],
    [
      "bytes that are no text",
      "BYTES",
      { bytesContents: [[65], [66], [0xff]].map((text) => Buffer.from(text)) },
    ],
  ])("contents with %s are refused, in protobuf and in JSON", async (_what, datatype, contents) => {
    const inputs = [{ name: "x", datatype, shape: [1n, 3n, 1n], contents }];
    for (const way of WAYS)
      await expect(
        clientOf(server, way).modelInfer({ modelName: datatype.toLowerCase(), inputs }),
      ).rejects.toMatchObject({ code: Code.InvalidArgument });
  });

  test("contents beside raw bytes are refused", async () => {
    const both = rawRequest("iris", [flower]);
    const inputs = [{ ...both.inputs?.[0], contents: { fp32Contents: [...FLOWER] } }] as never;
    expect((await refused({ ...both, inputs })).code).toBe(Code.InvalidArgument);
  });

  test("lists that are not packed, and contents in two parts, are read as well", async () => {
    const writer = new BinaryWriter().tag(1, 2).string("int32").tag(5, 2).fork();
    writer.tag(1, 2).string("x").tag(2, 2).string("INT32");
    for (const size of [1, 3, 1]) writer.tag(3, 0).int64(size);
    writer.tag(5, 2).fork().tag(2, 0).int32(1).tag(2, 0).int32(-2).join();
    writer.tag(5, 2).fork().tag(2, 2).fork().int32(3).join().join();
    const response = await send("ModelInfer", writer.join().finish());
    expect(response.status).toBe(200);
    const answer = fromMessage(
      ModelInferResponseSchema,
      new Uint8Array(await response.arrayBuffer()),
    );
    expect(answer.outputs[0]?.contents?.intContents).toEqual([1, -2, 3]);
  });

  test("messages that are none are refused", async () => {
    const infer = messageOf(rawRequest("iris", [flower]));
    const grpc = { "Content-Type": "application/grpc-web+proto" };
    const zip = { ...grpc, "Grpc-Encoding": "gzip" };
    const JSON_TYPE = { "Content-Type": "application/json" };
    for (const [body, headers, status] of [
      [infer.subarray(0, infer.length - 3), {}, 400],
      [new Uint8Array(500).fill(0x0b), {}, 400],
      [new Uint8Array(20_000).fill(0xff), {}, 400],
      // Ten thousand inputs of nothing, and a tensor of thirty thousand dimensions.
      [Buffer.from("2a00".repeat(40_000) + "2a00".repeat(40_000), "hex"), {}, 400],
      ["{", JSON_TYPE, 400],
      [`{"inputs": [{"shape": [${"1,".repeat(70_000)}1]}]}`, JSON_TYPE, 400],
      ['{"inputs": 7}', JSON_TYPE, 400],
      [infer, { "Content-Type": "application/octet-stream" }, 415],
      [infer, { "Content-Type": "application/grpc" }, 415],
      [infer, { "Content-Type": "application/connect+proto" }, 415],
      [infer, grpc, "3"],
      [inEnvelope(infer, { flags: 2 }), grpc, "3"],
      [Buffer.concat([inEnvelope(infer), inEnvelope(infer)]), grpc, "3"],
      [inEnvelope(infer, { flags: 1 }), zip, "3"],
      [inEnvelope(gzipSync(infer), { flags: 1 }), grpc, "12"],
      [inEnvelope(gzipSync(Buffer.alloc(50_000_000)), { flags: 1 }), zip, "8"],
      [inEnvelope(infer), { ...grpc, "Grpc-Timeout": "soon" }, "3"],
      [infer, { "Connect-Timeout-Ms": "-1" }, 400],
      [gzipSync(Buffer.alloc(50_000_000)), { "Content-Encoding": "gzip" }, 429],
      [new Uint8Array(2_000_001), {}, 429],
    ] as const) {
      const response = await send("ModelInfer", body, headers);
      const text = await response.text();
      const given =
        typeof status === "number" ? response.status : /grpc-status: (\d+)/.exec(text)?.[1];
      expect(given, `${text} to ${Buffer.from(body).toString("hex", 0, 40)}`).toBe(status);
    }
    expect((await send("NoSuchMethod", "")).status).toBe(501);
    expect((await send("ModelStreamInfer", "")).status).toBe(501);
  });

  test("compressed messages and bodies are read", async () => {
    const infer = messageOf(rawRequest("iris", [flower]));
    const web = { "Content-Type": "application/grpc-web+proto", "Grpc-Encoding": "gzip" };
    const answered = await send("ModelInfer", inEnvelope(gzipSync(infer), { flags: 1 }), web);
    expect(await answered.text()).toContain("grpc-status: 0");
    expect((await send("ModelInfer", gzipSync(infer), { "Content-Encoding": "gzip" })).status).toBe(
      200,
    );
  });

  test("a time that is too short is over", async () => {
    const headers = { "Connect-Timeout-Ms": "0" };
    const response = await send("ModelMetadata", "", headers);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
      504,
      "deadline_exceeded",
    ]);
  });
});

function messageOf(request: InferInit): Uint8Array {
  return toMessage(ModelInferRequestSchema, create(ModelInferRequestSchema, request as never));
}

function inEnvelope(message: Uint8Array, { flags = 0 } = {}): Buffer {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}

/** A tensor with values that differ, in the binary form. */
function filled(name: string, datatype: Datatype, shape: readonly number[]): RawInput {
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = Array.from({ length: count }, (_, index) => index % 3);
  const data =
    datatype === "BYTES"
      ? numbers.map((value) => `Great phone ${"é".repeat(value)}`)
      : datatype.endsWith("T64")
        ? DATATYPES[datatype as "INT64"].array.from(numbers.map((value) => BigInt(value) * 1n))
        : datatype === "BOOL"
          ? Uint8Array.from(numbers.map((value) => value & 1))
          : DATATYPES[datatype as "FP32"].array.from(numbers);
  return { name, datatype, shape, bytes: toBinary({ datatype, data }) };
}

/** The same elements in their own field. */
function typed({ datatype, bytes }: RawInput): object {
  const data = fromBinary(datatype, bytes);
  if (Array.isArray(data))
    return { bytesContents: data.map((text) => new TextEncoder().encode(text)) };
  if (datatype === "BOOL") return { boolContents: Array.from(data, Boolean) };
  const field = /^U?INT64|^U?INT|^FP\d+/.exec(datatype)?.[0].toLowerCase() ?? "";
  return { [`${field}Contents`]: [...data] };
}
