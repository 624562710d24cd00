import { connect, type ClientHttp2Session } from "node:http2";

/** Calls of ModelInfer by gRPC, one after the other on each connection. */
export interface GrpcLoad {
  /** `grpc://host:port` */
  url: string;
  /** Messages. */
  bodies: readonly Buffer[];
  connections: number;
}

/** Sends calls until it is stopped. That rejects when any call failed. */
export function startGrpcLoad(
  { url, bodies, connections }: GrpcLoad,
  onAnswer: (milliseconds: number) => void,
): () => Promise<void> {
  const calls = bodies.map(inEnvelope);
  const stop = new AbortController();

  async function run(): Promise<void> {
    const session = connect(url.replace("grpc:", "http:"));
    for (let next = 0; !stop.signal.aborted; next++) {
      const start = performance.now();
      await call(session, calls[next % calls.length] as Buffer);
      onAnswer(performance.now() - start);
    }
    session.close();
  }
  const running = Promise.all(Array.from({ length: connections }, run));
  // It rejects where it is stopped.
  running.catch(() => undefined);
  return async () => {
    stop.abort();
    await running;
  };
}

function call(session: ClientHttp2Session, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/inference.GRPCInferenceService/ModelInfer",
      "content-type": "application/grpc",
      te: "trailers",
    });
    let status: unknown;
    stream.on("trailers", (trailers) => (status = trailers["grpc-status"]));
    stream.on("error", reject);
    stream.on("close", () =>
      status === "0"
        ? resolve()
        : reject(new Error(`A call ended with the status ${String(status)}.`)),
    );
    stream.resume();
    stream.end(body);
  });
}

function inEnvelope(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}
