import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { RetryInfoSchema } from "../../functions/dialects/open-inference/grpc/error_details_pb.ts";
import { ModelInferRequestSchema } from "../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import { apiKey, bearer, keyList } from "../auth/keys.ts";
import { rawRequest, type RawInput } from "./grpc.ts";
import {
  grpcClient,
  inEnvelope,
  openSession,
  rawCall,
  startGrpc,
  type GrpcServer,
} from "./grpc-http2.ts";

const ALL = ["read", "predict", "admin"] as const;
const owner = apiKey("owner", { scopes: [...ALL] });
const reader = apiKey("reader", { scopes: ["read"] });
const other = apiKey("other", { scopes: [...ALL], models: ["sentiment"] });
const limited = apiKey("limited", { scopes: [...ALL], rate: "2/3600s" });
const iris: RawInput = {
  name: "features",
  datatype: "FP32",
  shape: [1, 4],
  bytes: new Uint8Array(new Float32Array([5.1, 3.5, 1.4, 0.2]).buffer),
};
const message = toBinary(
  ModelInferRequestSchema,
  create(ModelInferRequestSchema, rawRequest("iris", [iris]) as never),
);
const asOwner = { ...bearer(owner.key) };
const lower = { authorization: asOwner["Authorization"] ?? "" };

let server: GrpcServer;
beforeAll(async () => {
  const env = {
    API_KEYS: keyList(owner, reader, other, limited),
    MAX_BODY_BYTES: "2000000",
    AUTH: "",
  };
  server = await startGrpc({ env });
});
afterAll(() => server?.stop());

test("gRPC's own client is answered, with the same bytes as over Connect", async () => {
  const client = grpcClient(server.grpcUrl);
  expect((await client.serverLive({})).live).toBe(true);
  let headers = new Headers();
  const onHeader = (given: Headers) => (headers = given);
  const options = { headers: { ...asOwner, "X-Request-Id": "abc" }, onHeader };
  const answer = await client.modelInfer(rawRequest("iris", [iris], "seven"), options);
  expect(answer).toMatchObject({ id: "seven", modelName: "iris", modelVersion: "1" });
  expect(headers.get("x-request-id")).toBe("abc");
  const connect = await server.fetch("/inference.GRPCInferenceService/ModelInfer", {
    method: "POST",
    headers: { ...asOwner, "Content-Type": "application/proto" },
    body: message,
  });
  const bytes = Buffer.from(await connect.arrayBuffer()).toString("hex");
  expect(bytes).toContain(Buffer.from(answer.rawOutputContents[0] ?? []).toString("hex"));
  await vi.waitFor(
    () => expect(server.server.logs).toMatch(/"requestId":"abc".*"model":"iris"/),
    30_000,
  );
});

test("keys and scopes are asked for, but not for health", async () => {
  const client = grpcClient(server.grpcUrl);
  const call = client.modelInfer(rawRequest("iris", [iris]));
  await expect(call).rejects.toMatchObject({ code: Code.Unauthenticated });
  const wrong = client.modelInfer(rawRequest("iris", [iris]), {
    headers: { "X-API-Key": "nc_wrong" },
  });
  await expect(wrong).rejects.toMatchObject({ code: Code.Unauthenticated });
  const forbidden = client.modelInfer(rawRequest("iris", [iris]), { headers: bearer(reader.key) });
  await expect(forbidden).rejects.toMatchObject({ code: Code.PermissionDenied });
  for (const call of [
    client.modelInfer(rawRequest("iris", [iris]), { headers: bearer(other.key) }),
    client.modelMetadata({ name: "iris" }, { headers: bearer(other.key) }),
  ])
    await expect(call).rejects.toMatchObject({ code: Code.PermissionDenied });
  const { models } = await client.repositoryIndex({}, { headers: bearer(other.key) });
  expect(models.map(({ name }) => name)).toEqual(["sentiment"]);
  const load = client.repositoryModelLoad({ modelName: "iris" }, { headers: bearer(reader.key) });
  await expect(load).rejects.toMatchObject({ code: Code.PermissionDenied });
  const session = openSession(server.grpcUrl);
  const path = "/grpc.health.v1.Health/Check";
  const healthy = await rawCall(session, { path, chunks: [inEnvelope(new Uint8Array())] });
  expect(healthy.body.toString("hex")).toBe("00000000020801");
  expect(healthy.trailers["grpc-status"]).toBe("0");
  const unknown = inEnvelope(Buffer.from("\n\u0003abc"));
  expect((await rawCall(session, { path, chunks: [unknown] })).trailers["grpc-status"]).toBe("5");
  session.close();
});

test("a rate that is used up says when to try again", async () => {
  const client = grpcClient(server.grpcUrl);
  const ask = () => client.modelInfer(rawRequest("iris", [iris]), { headers: bearer(limited.key) });
  await ask();
  await ask();
  const error = await ask().catch((error: unknown) => error);
  expect(error).toMatchObject({ code: Code.ResourceExhausted });
  const [retry] = (error as { findDetails: (of: object) => object[] }).findDetails(RetryInfoSchema);
  expect(Number((retry as { retryDelay: { seconds: bigint } }).retryDelay.seconds)).toBeGreaterThan(
    0,
  );
});

test("a message that says it is too long is refused before it comes", async () => {
  const session = openSession(server.grpcUrl);
  const head = inEnvelope(new Uint8Array(), { length: 2_000_001 });
  const answer = await rawCall(session, { headers: lower, chunks: [head], open: true });
  expect(answer.trailers["grpc-status"]).toBe("8");
  session.close();
});

test("frames that are no message are refused, and the connection goes on", async () => {
  const session = openSession(server.grpcUrl);
  for (const [chunks, status] of [
    [[], "3"],
    [[Buffer.from([0, 0])], "3"],
    [[inEnvelope(message, { length: message.length + 5 })], "3"],
    [[inEnvelope(message), inEnvelope(message)], "3"],
    [[inEnvelope(message, { flags: 6 })], "3"],
    [[inEnvelope(gzipSync(Buffer.alloc(50_000_000)), { flags: 1 })], "8"],
    [[inEnvelope(message.subarray(0, 20))], "3"],
  ] as const) {
    const headers = { ...lower, "grpc-encoding": "gzip" };
    const { trailers, ...rest } = await rawCall(session, { headers, chunks });
    expect(trailers["grpc-status"], JSON.stringify([chunks, rest])).toBe(status);
  }
  const pieces = [...inEnvelope(message)].map((byte) => Buffer.from([byte]));
  const slowly = await rawCall(session, { headers: lower, chunks: pieces });
  expect(slowly.trailers["grpc-status"]).toBe("0");
  for (const path of ["NoSuchMethod", "ModelStreamInfer"]) {
    const missing = await rawCall(session, { path, headers: lower });
    expect(missing.trailers["grpc-status"]).toBe("12");
  }
  const json = await rawCall(session, {
    headers: { ...lower, "content-type": "application/json" },
  });
  expect(json.headers[":status"]).toBe(415);
  session.close();
});

test("a deadline that is over has its own code", async () => {
  const session = openSession(server.grpcUrl);
  const headers = { ...lower, "grpc-timeout": "1n" };
  const { trailers } = await rawCall(session, { headers, chunks: [inEnvelope(message)] });
  expect(trailers["grpc-status"]).toBe("4");
  session.close();
});

test("many calls at once on one connection are all answered", async () => {
  const session = openSession(server.grpcUrl);
  const call = { headers: lower, chunks: [inEnvelope(message)] };
  const answers = await Promise.all(Array.from({ length: 500 }, () => rawCall(session, call)));
  const codes = new Set(answers.map(({ trailers }) => trailers["grpc-status"]));
  expect([...codes]).toEqual(["0"]);
  session.close();
});

test("calls that are reset leave the server as it was", async () => {
  const session = openSession(server.grpcUrl);
  for (let round = 0; round < 50; round++) {
    const stream = session.request({
      ":method": "POST",
      ":path": "/inference.GRPCInferenceService/ModelInfer",
      "content-type": "application/grpc",
      ...lower,
    });
    stream.on("error", () => undefined);
    if (round % 2 === 0) stream.write(inEnvelope(message));
    else stream.write(inEnvelope(message).subarray(0, 9));
    stream.close(8);
  }
  const call = { headers: lower, chunks: [inEnvelope(message)] };
  expect((await rawCall(session, call)).trailers["grpc-status"]).toBe("0");
  session.close();
});
