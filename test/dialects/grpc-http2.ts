import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { GRPCInferenceService } from "../../functions/dialects/open-inference/grpc/open_inference_pb.ts";
import {
  startNodeServer,
  type NodeServer,
  type NodeServerOptions,
} from "../harness/node-server.ts";

export interface GrpcServer extends Omit<NodeServer, "logs"> {
  grpcUrl: string;
  server: NodeServer;
}

/** The Node server with a free port for gRPC. */
export async function startGrpc({ env, ...options }: NodeServerOptions = {}): Promise<GrpcServer> {
  const server = await startNodeServer({ ...options, env: { GRPC_PORT: "0", ...env } });
  const port = /grpc:\/\/localhost:(\d+)/.exec(server.logs)?.[1];
  if (port === undefined) throw new Error(`There is no port for gRPC:\n${server.logs}`);
  return { ...server, server, grpcUrl: `http://localhost:${port}` };
}

/** A client of connect-node for gRPC itself. */
export function grpcClient(grpcUrl: string) {
  return createClient(GRPCInferenceService, createGrpcTransport({ baseUrl: grpcUrl }));
}

/** One call, as it is on the wire. */
export interface RawCall {
  path?: string;
  headers?: Record<string, string>;
  /** Written one after the other. */
  chunks?: readonly Uint8Array[];
  /** The client's side stays open. */
  open?: boolean;
}

export interface RawAnswer {
  headers: IncomingHttpHeaders;
  trailers: IncomingHttpHeaders;
  body: Buffer;
  /** Why the stream ended: HTTP/2's code. */
  code: number;
}

export function rawCall(session: ClientHttp2Session, call: RawCall): Promise<RawAnswer> {
  const { path = "ModelInfer", chunks = [] } = call;
  const stream = session.request({
    ":method": "POST",
    ":path": path.startsWith("/") ? path : `/inference.GRPCInferenceService/${path}`,
    "content-type": "application/grpc",
    te: "trailers",
    ...call.headers,
  });
  const answer: RawAnswer = { headers: {}, trailers: {}, body: Buffer.alloc(0), code: 0 };
  for (const chunk of chunks) stream.write(chunk);
  if (!call.open) stream.end();
  return new Promise((resolve) => {
    stream.on("response", (headers) => (answer.headers = headers));
    stream.on("trailers", (trailers) => (answer.trailers = trailers));
    stream.on("data", (chunk: Buffer) => (answer.body = Buffer.concat([answer.body, chunk])));
    stream.on("error", () => undefined);
    stream.on("close", () => resolve({ ...answer, code: stream.rstCode ?? 0 }));
  });
}

/** A connection that ends with the test. */
export function openSession(grpcUrl: string): ClientHttp2Session {
  const session = connect(grpcUrl);
  session.on("error", () => undefined);
  return session;
}

export function inEnvelope(
  message: Uint8Array,
  { flags = 0, length = message.byteLength } = {},
): Buffer {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}
