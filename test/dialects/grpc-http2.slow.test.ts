import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, expect, test, vi } from "vitest";
import { ModelInferRequestSchema } from "../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import { rawRequest } from "./grpc.ts";
import { inEnvelope, openSession, rawCall, startGrpc, type GrpcServer } from "./grpc-http2.ts";

const STORE = join(import.meta.dirname, "../fixtures");
/** Some tens of milliseconds. */
const ITERATIONS = 20_000;

let server: GrpcServer;
afterEach(() => server?.stop());

test.each(["0", "1"])("SIGTERM loses no call that has begun, with WORKERS=%s", async (workers) => {
  server = await startGrpc({ env: { STORE, WORKERS: workers }, stopLimitMs: 60_000 });
  const sessions = [0, 1, 2, 3].map(() => openSession(server.grpcUrl));
  const idle = openSession(server.grpcUrl);
  await rawCall(idle, { path: "ServerLive", chunks: [inEnvelope(new Uint8Array())] });
  const calls = sessions.flatMap((session) =>
    [0, 1, 2].map(() => rawCall(session, { chunks: [slow()] })),
  );
  await Promise.race(calls);
  const exit = server.stop();
  // They have not heard yet that the server ends.
  calls.push(...sessions.map((session) => rawCall(session, { chunks: [slow()] })));
  const codes = (await Promise.all(calls)).map(({ trailers }) => trailers["grpc-status"]);
  expect(codes).toEqual(codes.map(() => "0"));
  expect(await exit).toBe(0);
});

test("a call whose client is gone or whose time is over does not run its model to the end", async () => {
  server = await startGrpc({ env: { STORE, WORKERS: "1" } });
  const session = openSession(server.grpcUrl);
  await rawCall(session, { chunks: [slow(1)] });
  const running = rawCall(session, { chunks: [slow(200_000)] });
  const late = rawCall(session, { headers: { "grpc-timeout": "20m" }, chunks: [slow(200_000)] });
  const gone = session.request({
    ":method": "POST",
    ":path": "/inference.GRPCInferenceService/ModelInfer",
    "content-type": "application/grpc",
    "x-request-id": "gone",
  });
  gone.on("error", () => undefined);
  gone.end(slow(200_000));
  // A run in the server's own process would keep it from seeing the call before its end.
  await sleep(100);
  gone.close(8);
  expect((await running).trailers["grpc-status"]).toBe("0");
  expect((await late).trailers["grpc-status"]).toBe("4");
  await vi.waitFor(
    () => expect(server.server.logs).toMatch(/"requestId":"gone".*"client_closed_request"/),
    { timeout: 10_000 },
  );
  session.close();
});

test("clients that do not read their answers, or send no message, keep nobody out", async () => {
  const IMAGES = join(STORE, "identity");
  server = await startGrpc({
    env: { STORE: IMAGES, REQUEST_TIMEOUT_MS: "3000", BODY_BUDGET_MB: "8" },
  });
  const bytes = new Uint8Array(3 * 224 * 224 * 4);
  const image = { name: "x", datatype: "FP32", shape: [1, 3, 224, 224], bytes } as const;
  const chunks = [inEnvelope(messageOf(rawRequest("image", [image])))];
  const greedy = Array.from({ length: 20 }, () => openSession(server.grpcUrl));
  const cutOff = vi.fn<(code: number) => void>();
  for (const session of greedy) {
    const stream = session.request({
      ":method": "POST",
      ":path": "/inference.GRPCInferenceService/ModelInfer",
      "content-type": "application/grpc",
    });
    stream.on("error", () => undefined).on("close", () => cutOff(stream.rstCode ?? 0));
    stream.pause();
    for (const chunk of chunks) stream.end(chunk);
  }
  const silent = openSession(server.grpcUrl);
  const waiting = Array.from({ length: 90 }, () =>
    rawCall(silent, { chunks: [Buffer.from([0, 0])], open: true }),
  );
  const honest = openSession(server.grpcUrl);
  // It is refused as long as the other bodies are too many.
  await vi.waitFor(
    async () => expect((await rawCall(honest, { chunks })).trailers["grpc-status"]).toBe("0"),
    { timeout: 60_000 },
  );
  // What all of them have not read is too much.
  expect(cutOff).toHaveBeenCalledWith(8);
  // The server ends them.
  const answers = await Promise.all(waiting);
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([8]));
  for (const session of [...greedy, silent, honest]) session.destroy();
});

function slow(iterations = ITERATIONS): Buffer {
  const bytes = new Uint8Array(BigInt64Array.of(BigInt(iterations)).buffer);
  const input = { name: "iterations", datatype: "INT64", shape: [1], bytes } as const;
  return inEnvelope(messageOf(rawRequest("slow", [input])));
}

function messageOf(request: object): Uint8Array {
  return toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request as never));
}
