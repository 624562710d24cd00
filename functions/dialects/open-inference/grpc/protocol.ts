import { encodeEnvelope, compressedFlag } from "@connectrpc/connect/protocol";
import { parseContentType as parseConnect } from "@connectrpc/connect/protocol-connect";
import {
  parseContentType as parseGrpc,
  parseTimeout,
  setTrailerStatus,
} from "@connectrpc/connect/protocol-grpc";
import {
  parseContentType as parseGrpcWeb,
  trailerFlag,
  trailerSerialize,
} from "@connectrpc/connect/protocol-grpc-web";
import type { ConnectError } from "@connectrpc/connect";
import type { Context } from "hono";
import { concatenate } from "../../../concatenate.ts";
import { NearcastError } from "../../../errors.ts";
import { answer } from "../../../http/answer.ts";
import { decompressInTurn, readBody, type BodyOptions } from "../../../http/body.ts";
import type { AppEnv } from "../../../http/exchange.ts";
import { checkAnswerBytes } from "../../../wire/answer-size.ts";

/** How a client wraps its messages. All have the same ones. */
export interface Protocol {
  name: "grpc" | "grpc-web" | "connect";
  /** Whether messages are protobuf's bytes. Otherwise they are JSON. */
  binary: boolean;
  /** The media type of an answer. */
  type: string;
}

/** A flag, and four bytes of length. */
const ENVELOPE_BYTES = 5;

const TAKEN =
  "application/proto or application/json (Connect), or application/grpc-web+proto (gRPC-Web)";

/** The protocol of a request, by its `Content-Type`. Undefined for gRPC where no trailers can be sent, and for others. */
export function protocolOf(c: Context<AppEnv>): Protocol | undefined {
  const type = c.req.header("content-type") ?? "";
  const grpc = parseGrpc(type);
  if (grpc) return c.get("exchange").sendTrailers && { name: "grpc", type, binary: grpc.binary };
  const web = parseGrpcWeb(type);
  // The old form in base64 has no clients any more.
  if (web) return web.text ? undefined : { name: "grpc-web", type, binary: web.binary };
  const connect = parseConnect(type);
  if (!connect || connect.stream) return undefined;
  const { binary } = connect;
  return { name: "connect", binary, type: `application/${binary ? "proto" : "json"}` };
}

/** Begins a call: its protocol, and the deadline that the client has. Throws where either is not understood. */
export function beginCall(c: Context<AppEnv>): Protocol {
  const protocol = protocolOf(c);
  if (!protocol)
    throw new NearcastError(
      "unsupported_media_type",
      `The Content-Type must be ${TAKEN}. gRPC itself needs HTTP/2: a Node server takes it at GRPC_PORT.`,
    );
  const timeoutMs = protocol.name === "connect" ? connectTimeout(c) : grpcTimeout(c);
  const { deadline } = c.get("exchange");
  if (timeoutMs !== undefined) deadline.shorten(timeoutMs);
  deadline.check();
  return protocol;
}

function connectTimeout(c: Context<AppEnv>): number | undefined {
  const header = c.req.header("connect-timeout-ms");
  if (header === undefined) return undefined;
  if (/^\d{1,10}$/.test(header)) return Number(header);
  throw new NearcastError("malformed_request", "Connect-Timeout-Ms must have 1 to 10 digits.");
}

function grpcTimeout(c: Context<AppEnv>): number | undefined {
  const { timeoutMs, error } = parseTimeout(c.req.header("grpc-timeout") ?? null, Infinity);
  if (error)
    throw new NearcastError(
      "malformed_request",
      "grpc-timeout must have 1 to 8 digits and one of the units H, M, S, m, u and n.",
    );
  return timeoutMs;
}

/**
 * Reads the one message of a request. Rejects as `readBody` does, for the message after its decompression too; with
 * `malformed_request` for a body that is not exactly one message, and `unsupported_media_type` for an unknown coding.
 */
export async function readMessage(
  c: Context<AppEnv>,
  { name }: Protocol,
  options: BodyOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const body = await readBody(c, options);
  if (name === "connect") return body;
  const { flags, message } = readEnvelope(body);
  if ((flags & compressedFlag) === 0) return message;
  const coding = c.req.header("grpc-encoding");
  if (coding !== "gzip" && coding !== "deflate")
    throw new NearcastError(
      "unsupported_media_type",
      "A compressed message must have the grpc-encoding gzip or deflate.",
      { headers: { "Grpc-Accept-Encoding": "gzip,deflate,identity" } },
    );
  const whole = await decompressInTurn(c, message, coding, options.maxBytes);
  const exchange = c.get("exchange");
  if (exchange.received) exchange.received.bytes = whole.byteLength;
  return whole;
}

function readEnvelope(body: Uint8Array<ArrayBuffer>) {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const message = body.subarray(ENVELOPE_BYTES);
  if (body.byteLength < ENVELOPE_BYTES || view.getUint32(1) !== message.byteLength)
    throw new NearcastError(
      "malformed_request",
      "The body is not one message: it needs five bytes with a flag and the length of what follows.",
    );
  const flags = view.getUint8(0);
  if ((flags & ~compressedFlag) !== 0)
    throw new NearcastError("malformed_request", `The message has unknown flags: ${flags}.`);
  return { flags, message };
}

/** Answers with one message, in parts. Throws `answer_too_large`. */
export function answerMessage(
  c: Context<AppEnv>,
  protocol: Protocol,
  parts: readonly Uint8Array[],
): Response {
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  checkAnswerBytes(bytes, c.get("exchange").maxAnswerBytes ?? Infinity);
  if (protocol.name === "connect") return answerBody(c, protocol, parts);
  const head = new Uint8Array(ENVELOPE_BYTES);
  new DataView(head.buffer).setUint32(1, bytes);
  return answerWithStatus(c, protocol, [head, ...parts]);
}

/** Ends an answer of gRPC or gRPC-Web with its status. */
export function answerWithStatus(
  c: Context<AppEnv>,
  protocol: Protocol,
  parts: readonly Uint8Array[],
  error?: ConnectError,
): Response {
  const trailers = setTrailerStatus(new Headers(), error);
  if (protocol.name === "grpc-web")
    return answerBody(c, protocol, [
      ...parts,
      encodeEnvelope(trailerFlag, trailerSerialize(trailers)),
    ]);
  c.get("exchange").sendTrailers?.(Object.fromEntries(trailers));
  return answerBody(c, protocol, parts);
}

function answerBody(
  c: Context<AppEnv>,
  { type }: Protocol,
  parts: readonly Uint8Array[],
): Response {
  return answer(c, concatenate(parts), { "Content-Type": type });
}
