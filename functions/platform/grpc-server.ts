import {
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { Server as NetServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import type { Config } from "../config.ts";
import { GRPC_SHARE, mostConnections } from "./connections.ts";
import { acceptAll } from "./end-server.ts";
import type { GrpcBindings, GrpcFetch } from "./grpc-bindings.ts";

export interface GrpcServer {
  server: Http2Server;
  /** Ends it so that no call is lost. Calls that take longer than `longestMs` are cut off. */
  end: (longestMs: number) => Promise<void>;
}

/** Calls of one connection at once. Clients let further ones wait. */
const STREAMS_PER_CONNECTION = 100;
/** The most calls on all connections, also those that have not sent a message yet. Each takes some kilobytes. */
const MOST_STREAMS = 10_000;
/** How long a client's calls may be on their way when it hears that the server ends. */
const ON_THE_WAY_MS = 100;
/** A flag, and four bytes of length. */
const ENVELOPE_BYTES = 5;

/**
 * A server for gRPC: HTTP/2 without TLS. It takes nothing else. However a client sends and reads, it gets only its share of
 * connections, calls and memory.
 */
export function createGrpcServer(
  config: Pick<Config, "requestTimeoutMs" | "bodyBudgetBytes">,
  fetch: GrpcFetch,
): GrpcServer {
  const sessions = new Map<ServerHttp2Session, { open: number }>();
  const most = Math.ceil(mostConnections() * GRPC_SHARE);
  let streams = 0;
  let isEnding = false;

  const server = createServer({
    settings: { maxConcurrentStreams: STREAMS_PER_CONNECTION },
    Http2ServerResponse: boundUnread(config.bodyBudgetBytes),
  });
  server.on("session", (session) => {
    if (sessions.size >= most) closeIdle();
    sessions.set(session, { open: 0 });
    session.once("close", () => sessions.delete(session));
    if (isEnding) void closeGently(session);
  });
  server.on("stream", (stream) => {
    const { session } = stream;
    const known = session && sessions.get(session as ServerHttp2Session);
    if (!known) return;
    known.open += 1;
    streams += 1;
    // It was not looked at: clients may send it again.
    if (streams > MOST_STREAMS) stream.close(constants.NGHTTP2_REFUSED_STREAM);
    stream.once("close", () => {
      known.open -= 1;
      streams -= 1;
    });
  });
  const answer = getRequestListener(
    (request, bindings) =>
      fetch(request, withTrailers(bindings as unknown as GrpcBindings, request)),
    { overrideGlobalObjects: false },
  );
  server.on("request", (incoming, outgoing) => {
    const { stream } = incoming;
    if (stream.closed) return;
    if (!/^application\/grpc(?!-web)/i.test(incoming.headers["content-type"] ?? "")) {
      outgoing.writeHead(415).end("This port takes gRPC only.");
      return;
    }
    // Also for one that sends nothing, and one that does not read its answer.
    stream.setTimeout(2 * config.requestTimeoutMs, () => stream.close(constants.NGHTTP2_CANCEL));
    declareLength(incoming, () => void answer(incoming, outgoing));
  });

  /** Closes a sixteenth of the connections: those without calls, the oldest first. */
  function closeIdle(): void {
    let rest = Math.ceil(most / 16);
    for (const [session, { open }] of sessions) {
      if (open > 0) continue;
      sessions.delete(session);
      session.close();
      if (--rest === 0) return;
    }
  }

  async function end(longestMs: number): Promise<void> {
    const longest = sleep(longestMs, undefined, { ref: false });
    await Promise.race([acceptAll(server), longest]);
    isEnding = true;
    // That of HTTP/2 would end the sessions too, at once.
    NetServer.prototype.close.call(server);
    for (const session of sessions.keys()) void closeGently(session);
    await longest;
    for (const session of sessions.keys()) session.destroy();
  }

  return { server, end };
}

/** Says that the server ends, still takes the calls that are on their way, and then only finishes what it has. */
async function closeGently(session: ServerHttp2Session): Promise<void> {
  if (session.destroyed) return;
  session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
  await sleep(ON_THE_WAY_MS);
  if (!session.destroyed) session.close();
}

function withTrailers(
  bindings: Pick<GrpcBindings, "incoming" | "outgoing">,
  request: Request,
): GrpcBindings {
  const { outgoing } = bindings;
  const sendTrailers = (fields: Record<string, string>) => outgoing.addTrailers(fields);
  return Object.assign(bindings, { sendTrailers, request });
}

/**
 * Calls of gRPC have no Content-Length, but their message begins with its length. With it, a body that is too long is
 * refused before it comes, and the others are counted with their own bytes.
 */
function declareLength(
  { stream, headers, rawHeaders }: Http2ServerRequest,
  then: () => void,
): void {
  if (headers["content-length"] !== undefined) {
    then();
    return;
  }
  function look(): void {
    const head = stream.read(ENVELOPE_BYTES) as Buffer | null;
    if (!head && !stream.readableEnded) return;
    stream.off("readable", look).off("end", look);
    if (head) stream.unshift(head);
    const isWhole = head?.byteLength === ENVELOPE_BYTES;
    const length = isWhole ? ENVELOPE_BYTES + head.readUInt32BE(1) : (head?.byteLength ?? 0);
    headers["content-length"] = String(length);
    rawHeaders.push("content-length", String(length));
    // The stream flows again only after this turn.
    process.nextTick(then);
  }
  stream.on("readable", look).on("end", look);
}

/**
 * The class of a server's responses. It cuts off those that have waited longest for their clients, when all together have
 * more unread bytes than this.
 */
function boundUnread(mostBytes: number): typeof Http2ServerResponse {
  const unread = new Map<ServerHttp2Stream, number>();
  let total = 0;

  function forget(this: ServerHttp2Stream): void {
    total -= unread.get(this) ?? 0;
    unread.delete(this);
  }

  function watch(stream: ServerHttp2Stream): void {
    unread.set(stream, stream.writableLength);
    total += stream.writableLength;
    stream.once("finish", forget).once("close", forget);
    for (const oldest of unread.keys()) {
      // A single answer may have any size.
      if (total <= mostBytes || unread.size === 1) return;
      oldest.close(constants.NGHTTP2_CANCEL);
      forget.call(oldest);
    }
  }

  return class WatchedResponse<
    Request extends Http2ServerRequest = Http2ServerRequest,
  > extends Http2ServerResponse<Request> {
    override end(...args: unknown[]): this {
      const { stream } = this;
      super.end(...(args as [Uint8Array]));
      // All of the answer is in memory now.
      if (stream.writableLength > 0) watch(stream);
      return this;
    }
  };
}
