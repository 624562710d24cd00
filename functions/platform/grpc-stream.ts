import { once } from "node:events";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Limits } from "../model/limits.ts";
import type { GrpcBindings, GrpcFetch } from "./grpc-bindings.ts";

const SERVICE = "/inference.GRPCInferenceService";

/** Triton's method for many requests in one call. */
export const STREAM_METHOD = `${SERVICE}/ModelStreamInfer`;

/** A flag, and four bytes of length. */
const ENVELOPE_BYTES = 5;

/** Codes of gRPC. */
const STATUS = {
  OK: "0",
  INVALID_ARGUMENT: "3",
  DEADLINE_EXCEEDED: "4",
  RESOURCE_EXHAUSTED: "8",
  INTERNAL: "13",
  UNAVAILABLE: "14",
  UNAUTHENTICATED: "16",
} as const;

/** The fields of a ModelStreamInferResponse, each with its number and that it has bytes. */
const ERROR_MESSAGE = (1 << 3) | 2;
const INFER_RESPONSE = (2 << 3) | 2;

type Fields = Record<string, string>;

interface StreamOptions {
  limits: Pick<Limits, "bodyBytes">;
  /** Aborted when the server ends: then no further message is read. */
  ending: AbortSignal;
}

/**
 * Answers ModelStreamInfer: each message is a call of ModelInfer of its own, with the stream's header fields, so that rates,
 * limits, time-outs and records are the same. They are answered in turn. An error is in the answer to its message, and only
 * a caller who is not known ends the stream.
 */
export async function answerStream(
  bindings: GrpcBindings,
  fetch: GrpcFetch,
  options: StreamOptions,
): Promise<void> {
  const { incoming, outgoing } = bindings;
  const { stream } = incoming;
  stream.on("error", () => undefined);
  outgoing.writeHead(200, { "content-type": "application/grpc+proto" });
  let end: Fields;
  try {
    end = await answerAll(bindings, fetch, options);
  } catch (error) {
    end = error instanceof StreamEnd ? error.fields : endedWith("INTERNAL", "The stream failed.");
  }
  if (stream.destroyed) return;
  // What the client still sends is for nobody.
  stream.once("wantTrailers", () => setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR)));
  bindings.sendTrailers(end);
  outgoing.end();
}

async function answerAll(
  bindings: GrpcBindings,
  fetch: GrpcFetch,
  { limits, ending }: StreamOptions,
): Promise<Fields> {
  const { incoming, outgoing } = bindings;
  const { stream } = incoming;
  const url = new URL(`${SERVICE}/ModelInfer`, `http://${incoming.authority || "localhost"}`);
  const headersNow = remaining(incoming.headers);
  for await (const body of envelopes(stream, limits.bodyBytes, ending)) {
    let status: Fields = {};
    const request = new Request(url, { method: "POST", headers: headersNow(), body });
    const sendTrailers = (fields: Fields) => void (status = fields);
    const response = await fetch(request, { incoming, outgoing, sendTrailers });
    const answer = Buffer.from(await response.arrayBuffer());
    const code = status["grpc-status"];
    if (code === STATUS.UNAUTHENTICATED) return status;
    const message =
      code === STATUS.OK
        ? field(INFER_RESPONSE, answer.subarray(ENVELOPE_BYTES))
        : field(ERROR_MESSAGE, Buffer.from(decodeURIComponent(status["grpc-message"] ?? "")));
    if (stream.destroyed) break;
    if (!outgoing.write(inEnvelope(message)))
      await Promise.race([once(stream, "drain"), once(stream, "close")]);
  }
  return ending.aborted
    ? endedWith("UNAVAILABLE", "The server ends.")
    : { "grpc-status": STATUS.OK };
}

/** Ends the stream with these trailers. */
class StreamEnd extends Error {
  readonly fields: Fields;

  constructor(status: keyof typeof STATUS, message: string) {
    super(message);
    this.fields = endedWith(status, message);
  }
}

function endedWith(status: keyof typeof STATUS, message: string): Fields {
  return { "grpc-status": STATUS[status], "grpc-message": encodeURIComponent(message) };
}

/** The messages of a stream with their envelopes, until the client or the server ends it. */
async function* envelopes(stream: ServerHttp2Stream, mostBytes: number, ending: AbortSignal) {
  for (;;) {
    const head = await readExactly(stream, ENVELOPE_BYTES, ending);
    if (!head) return;
    const length = head.readUInt32BE(1);
    if (length > mostBytes)
      throw new StreamEnd("RESOURCE_EXHAUSTED", `A message may have at most ${mostBytes} bytes.`);
    const message = await readExactly(stream, length);
    if (!message) throw new StreamEnd("INVALID_ARGUMENT", "The stream ends within a message.");
    yield Buffer.concat([head, message]);
  }
}

/** Undefined where the stream ends before, or is told to end. */
async function readExactly(
  stream: ServerHttp2Stream,
  length: number,
  ending?: AbortSignal,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  for (let missing = length; missing > 0;) {
    if (ending?.aborted || stream.destroyed) return undefined;
    // To ask for more than there is would end a turn without waiting for it.
    const chunk = stream.read(Math.min(missing, stream.readableLength)) as Buffer | null;
    if (chunk) {
      chunks.push(chunk);
      missing -= chunk.byteLength;
    } else if (stream.readableEnded) return undefined;
    else await change(stream, ending);
  }
  return Buffer.concat(chunks);
}

function change(stream: ServerHttp2Stream, ending: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ["readable", "end", "close"]) stream.off(event, done);
      ending?.removeEventListener("abort", done);
      resolve();
    };
    for (const event of ["readable", "end", "close"]) stream.on(event, done);
    ending?.addEventListener("abort", done);
  });
}

/** Gives the stream's header fields for a call in it, with what is left of the stream's time. */
function remaining({ ...fields }: IncomingHttpHeaders): () => Headers {
  const begun = performance.now();
  const headers = new Headers();
  for (const [name, value] of Object.entries(fields))
    if (!name.startsWith(":") && typeof value === "string") headers.set(name, value);
  const [, count, unit = ""] =
    /^(\d{1,8})([HMSmun])$/.exec(headers.get("grpc-timeout") ?? "") ?? [];
  if (count === undefined) return () => headers;
  const timeoutMs = Number(count) * (MILLISECONDS[unit] ?? 1);
  return () => {
    const left = Math.floor(timeoutMs - (performance.now() - begun));
    if (left <= 0) throw new StreamEnd("DEADLINE_EXCEEDED", "The time of the stream is over.");
    headers.set("grpc-timeout", `${Math.min(left, 99_999_999)}m`);
    return headers;
  };
}

const MILLISECONDS: Record<string, number> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

function inEnvelope(message: Buffer): Buffer {
  const head = Buffer.alloc(ENVELOPE_BYTES);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}

/** A field of protobuf that has bytes: its tag, their number as a varint, and they. */
function field(tag: number, bytes: Buffer): Buffer {
  const head = [tag];
  let length = bytes.byteLength;
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  head.push(length);
  return Buffer.concat([Buffer.from(head), bytes]);
}
