import type { RequestListener, Server } from "node:http";
import { Server as NetServer } from "node:net";
import { setImmediate as turnEventLoop, setTimeout as sleep } from "node:timers/promises";
import { createDeferred } from "../deferred.ts";

/** How long to wait for a request on an open connection. */
const ON_THE_WAY_MS = 100;

/**
 * Ends an HTTP server so that no request is lost. First it accepts the connections that wait in the system's queue, and
 * then no new ones. Each open connection may bring one more request. Its answer says `Connection: close`.
 * (`http.Server.close` would cut each connection whose next request was not read yet.) A silent client is cut off after
 * `longestRequestMs`.
 */
export async function endServer(server: Server, longestRequestMs: number): Promise<void> {
  const start = holdRequests(server);
  const longest = sleep(longestRequestMs, undefined, { ref: false });
  await Promise.race([acceptAll(server), longest]);
  NetServer.prototype.close.call(server);
  start();
  setInterval(async () => {
    // Reads what arrived while a model ran, before its connection counts as idle.
    await turnEventLoop();
    server.closeIdleConnections();
  }, ON_THE_WAY_MS).unref();
  await longest;
  server.closeAllConnections();
}

/** Makes requests wait until the returned function is called. A client that waits opens no further connection. */
function holdRequests(server: Server): () => void {
  const started = createDeferred<void>();
  const listeners = server.listeners("request") as RequestListener[];
  server.removeAllListeners("request");
  server.on("request", async (request, response) => {
    response.setHeader("Connection", "close");
    await started.promise;
    for (const listener of listeners) listener.call(server, request, response);
  });
  return () => started.resolve();
}

/** No connection waits when this many turns of the event loop, over this time, have brought none. */
const QUIET_TURNS = 3;
const QUIET_MS = 30;
/** The last turn must be this short: a connection that comes between it and the end is lost. */
const SHORT_TURN_MS = 0.5;
/** With new clients all the time, one turn without a connection is enough after this time. */
const PATIENCE_MS = 300;

/**
 * Accepts the connections that wait in the system's queue. The event loop accepts one a turn (libuv since 1.45), so a
 * burst that came during a long run still waits there. Closing the server resets the connections in the queue.
 */
export async function acceptAll(server: NetServer): Promise<void> {
  const begin = performance.now();
  let accepted = 0;
  server.on("connection", () => (accepted += 1));
  for (let quietSince = begin, turns = 0; ; turns++) {
    const [before, turnBegin] = [accepted, performance.now()];
    await turnEventLoop();
    const now = performance.now();
    if (accepted > before) [quietSince, turns] = [now, 0];
    const isQuiet =
      turns >= QUIET_TURNS && now - quietSince >= QUIET_MS && now - turnBegin < SHORT_TURN_MS;
    if (isQuiet || (accepted === before && now - begin >= PATIENCE_MS)) return;
  }
}
