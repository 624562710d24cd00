import { readFile } from "node:fs/promises";
import { fromBinary, toJson, type JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  GRPCInferenceService,
  ModelInferResponseSchema,
} from "../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import { inThisFile } from "../harness/in-this-file.ts";
import type { Target } from "../harness/targets.ts";
import { inEnvelope, openSession, rawCall, startGrpc, type GrpcServer } from "./grpc-http2.ts";
import { PLATFORMS } from "./platforms.ts";

interface Recorded {
  name: string;
  method: string;
  metadata: Record<string, string>;
  base64: string;
  answers?: { species?: number[]; fields?: object };
  /** What the refusal says. */
  refused?: string;
}

interface Outcome {
  /** gRPC's status; 0 for an answer. Connect has none for a refusal. */
  status: number | undefined;
  message: Uint8Array;
  said: string;
}

// What the clients themselves sent: test/fixtures/clients/make_grpc.py.
const { cases } = JSON.parse(
  await readFile(new URL("../fixtures/clients/recorded-grpc.json", import.meta.url), "utf8"),
) as { cases: Recorded[] };

describe.each(inThisFile(PLATFORMS))("on %s", (_name, start) => {
  let server: Target;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  const send = async ({ method, metadata }: Recorded, type: string, body: Buffer) => {
    const response = await server.fetch(`/inference.GRPCInferenceService/${method}`, {
      method: "POST",
      headers: { ...metadata, "Content-Type": type },
      body: new Uint8Array(body),
    });
    return { ok: response.ok, bytes: Buffer.from(await response.arrayBuffer()) };
  };

  test.each(cases)("Connect, $name", async (one) => {
    const { ok, bytes } = await send(one, "application/proto", messageOf(one));
    check(one, { status: ok ? 0 : undefined, message: bytes, said: bytes.toString() });
  });

  test.each(cases)("gRPC-Web, $name", async (one) => {
    const body = inEnvelope(messageOf(one));
    const { bytes } = await send(one, "application/grpc-web+proto", body);
    const isTrailer = bytes[0] === 0x80;
    const end = isTrailer ? 0 : 5 + bytes.readUInt32BE(1);
    const trailers = new Headers(
      bytes
        .toString("latin1", end + 5)
        .trim()
        .split("\r\n")
        .map((line) => line.split(/: */, 2) as [string, string]),
    );
    check(one, { ...statusOf(Object.fromEntries(trailers)), message: bytes.subarray(5, end) });
  });
});

describe.each(inThisFile(["gRPC on Node"]))("%s", () => {
  let server: GrpcServer;
  beforeAll(async () => {
    server = await startGrpc();
  });
  afterAll(() => server?.stop());

  test.each(cases)("$name", async (one) => {
    const { method, metadata } = one;
    const session = openSession(server.grpcUrl);
    const chunks = [inEnvelope(messageOf(one))];
    const { headers, trailers, body } = await rawCall(session, {
      path: method,
      headers: metadata,
      chunks,
    });
    session.close();
    check(one, { ...statusOf({ ...headers, ...trailers }), message: body.subarray(5) });
  });
});

const messageOf = ({ base64 }: Recorded) => Buffer.from(base64, "base64");

function statusOf(fields: Record<string, string | string[] | undefined>): {
  status: number;
  said: string;
} {
  return {
    status: Number(fields["grpc-status"]),
    said: decodeURIComponent(String(fields["grpc-message"] ?? "")),
  };
}

function check({ method, answers, refused }: Recorded, { status, message, said }: Outcome): void {
  if (refused !== undefined) {
    expect(status).not.toBe(0);
    // Not UNKNOWN or INTERNAL: those would be the server's failures.
    expect([2, 13]).not.toContain(status);
    expect(said.length).toBeGreaterThan(0);
    return expect(said).toContain(refused);
  }
  expect(status, said).toBe(0);
  if (answers?.species) expect(bestOf(message)).toEqual(answers.species);
  const type = GRPCInferenceService.methods.find(({ name }) => name === method)?.output;
  if (!type) throw new Error(`There is no ${method}.`);
  const json = toJson(type, fromBinary(type, message)) as JsonObject;
  expect(json).toMatchObject(answers?.fields ?? {});
}

/** The best class of each row, in whatever form the tensor is. */
function bestOf(message: Uint8Array): number[] {
  const { outputs, rawOutputContents } = fromBinary(ModelInferResponseSchema, message);
  const [output] = outputs;
  const [raw] = rawOutputContents;
  const [rows = 0, classes = 0] = output?.shape.map(Number) ?? [];
  const values = raw
    ? new Float32Array(new Uint8Array(raw).buffer)
    : Float32Array.from(output?.contents?.fp32Contents ?? []);
  return Array.from({ length: rows }, (_, row) => {
    const own = values.slice(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}
