import type { Server, ServerResponse } from "node:http";
import { Server as NetServer } from "node:net";
import { setImmediate as turnEventLoop, setTimeout as sleep } from "node:timers/promises";

/** What a client sends on a connection that was open before the end arrives within this. */
const ON_THE_WAY_MS = 100;

/**
 * Ends an HTTP server so that no request is lost. Connections that wait in the system's queue are accepted first;
 * then no new ones are. Each open connection may bring one more request, which is answered with
 * `Connection: close`. (`http.Server.close` cuts every connection whose next request was not read yet.)
 * A client that says nothing is cut off after `longestRequestMs`.
 */
export async function endServer(server: Server, longestRequestMs: number): Promise<void> {
  server.prependListener("request", (_request: unknown, response: ServerResponse) => {
    response.setHeader("Connection", "close");
  });
  const longest = sleep(longestRequestMs, undefined, { ref: false });
  await Promise.race([acceptAll(server), longest]);
  NetServer.prototype.close.call(server);
  setInterval(async () => {
    // What has arrived while a model ran is read before its connection counts as idle.
    await turnEventLoop();
    server.closeIdleConnections();
  }, ON_THE_WAY_MS).unref();
  await longest;
  server.closeAllConnections();
}

/** After this many turns of the event loop in which no connection came, none is waiting. */
const QUIET_TURNS = 3;

/**
 * Takes the connections that wait in the system's queue. The event loop accepts one of them a turn (libuv since
 * 1.45), so that a burst which came during a long run is still there.
 */
async function acceptAll(server: Server): Promise<void> {
  let quiet = 0;
  server.on("connection", () => (quiet = 0));
  for (; quiet < QUIET_TURNS; quiet++) await turnEventLoop();
}
