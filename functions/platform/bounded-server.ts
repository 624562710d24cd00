import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import type { Config } from "../config.ts";
import { GRPC_SHARE, makeRoom, mostConnections } from "./connections.ts";
import { inTurn } from "./in-turn.ts";
import { boundUnread } from "./unread-answers.ts";

/**
 * Makes Node's HTTP server with bounds. However a client sends and reads, it gets only its share of connections, memory
 * and turns.
 *
 * @example serve({ fetch: app.fetch, createServer: boundedServer(platform.config) })
 */
export function boundedServer(
  config: Pick<Config, "requestTimeoutMs" | "bodyBudgetBytes"> & Partial<Pick<Config, "grpcPort">>,
): typeof createServer {
  function createBounded(options: ServerOptions, listener: RequestListener): Server {
    const unread = { patienceMs: config.requestTimeoutMs, maxBytes: config.bodyBudgetBytes };
    const server = createServer(
      // Fields that came more than once are joined, as in a `Request`. Node would drop some of them.
      { ...options, joinDuplicateHeaders: true, ServerResponse: boundUnread(unread) },
      inTurn(listener),
    );
    const share = config.grpcPort === undefined ? 1 : 1 - GRPC_SHARE;
    makeRoom(server, mostConnections() * share);
    return server;
  }
  return createBounded as typeof createServer;
}
